"""Contract files in a run: one test a promise, answered, recorded and replayed like any other."""

from __future__ import annotations

import re
import shutil
from textwrap import dedent

import pytest

from tests.runner.test_existing_deployment import CONFTEST, LABEL

CHECKS = (
    *("signature", "classes", "probabilities", "batch_consistency", "repeatability", "invariance"),
    *("parity", "rest", "errors", "accuracy", "latency"),
)
QUIET = ("-p", "no:recording")


def edit(project, old: str, new: str) -> None:
    """Change the project's contract."""
    path = project.path / "fraud.wml.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_each_promise_is_a_test_of_one_deployment(recorded, kept):
    """With readable names, one deployment, and results for a report; its recording is named after the model."""
    said = (kept / "said.txt").read_text()
    assert re.findall(r"fraud\.wml\.yaml::(\S+) PASSED", said) == list(CHECKS)
    assert f"1 deployed; results: {', '.join(CHECKS)}" in said
    assert {path.name for path in (recorded.path / "cassettes").glob("*.yaml")} == {
        "pixels.yaml",
        "pixels.contract.yaml",
    }


def test_a_recording_is_replayed(recorded):
    """What needs the model itself is skipped, and nothing is left unasked."""
    result = recorded.runpytest_inprocess(*QUIET, "-rs")
    result.assert_outcomes(passed=10, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*fraud.wml.yaml:17: needs the model itself*"])
    result.stdout.no_fnmatch_line("*unused*")


@pytest.mark.parametrize(
    ("chosen", "passed"),
    [(["-k", "errors or classes"], 2), (["fraud.wml.yaml::rest"], 1), (["-m", "quick"], 0), (["-m", "not quick"], 10)],
)
def test_promises_are_chosen_as_tests_are(recorded, chosen, passed):
    """By words, node ids and markers."""
    recorded.makeini("[pytest]\nmarkers = quick: takes no time\n")
    recorded.runpytest_inprocess(*QUIET, *chosen).assert_outcomes(
        passed=passed, skipped=int(passed == 10), deselected=0 if "::" in chosen[0] else 11 - passed - (passed == 10)
    )


def test_promises_are_no_imported_tests(recorded):
    """pytest's `collect_imported_tests = false` leaves them: they are tests of the module that the file stands for."""
    recorded.makeini("[pytest]\ncollect_imported_tests = false\n")
    recorded.runpytest_inprocess(*QUIET).assert_outcomes(passed=10, skipped=1)


def test_a_broken_promise_is_told_without_python(recorded):
    """The findings, and nothing of how they were come by."""
    edit(recorded, "class: 3", "class: cat")
    edit(recorded, "repeatability: {times: 2}", "repeatability: {atol: 1e-12}")
    result = recorded.runpytest_inprocess(*QUIET, "--tb=long")
    result.assert_outcomes(passed=8, failed=2, skipped=1)
    told = result.stdout.str().partition("= FAILURES =")[2]
    assert "- row 1: expected cat, got 3" in told
    assert "atol=1e-12 is below the precision" in told
    assert "  at: fraud.wml.yaml:15" in told
    assert not re.search(r"Traceback|lambda|\.py|^>", told, re.M)


def test_a_mistake_stops_the_run_with_its_place(project):
    """Collected as a file that cannot be read."""
    edit(project, "errors: yes", "erors: yes")
    result = project.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*line 19, column 1: `erors` is unknown here; did you mean `errors`?*"])
    assert ".py" not in result.stdout.str().partition("= ERRORS =")[2]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("model: pixels", "model: pixel", "line 1, column 1: there is no model `pixel.tar.gz`: neither*"),
        (
            "rest: yes",
            "markers: [quick]",
            "line 18, column 1: `markers`: 'quick' not found in `markers` configuration*",
        ),
        (
            "rest: yes",
            "name: pixels\ntype: pytorch-onnx_2.1",
            "line 18, column 1: a deployment called `pixels` exists*",
        ),
    ],
)
def test_what_the_run_lacks_is_a_mistake_too(project, old, new, told):
    """A model, a marker, a name of one's own."""
    project.makeini("[pytest]\naddopts = --strict-markers\n")
    shutil.copy(project.path / "fraud.wml.yaml", project.path / "again.wml.yaml")
    edit(project, old, new)
    project.runpytest_inprocess(*QUIET, "--collect-only").stdout.fnmatch_lines([f"*{told}"])


def test_recordings_are_no_contracts(recorded):
    """Whatever they are called."""
    cassettes = recorded.path / "cassettes"
    shutil.copy(cassettes / "pixels.yaml", cassettes / "old.wml.yaml")
    recorded.runpytest_inprocess(*QUIET).assert_outcomes(passed=10, skipped=1)


@pytest.mark.slow
def test_a_project_without_contract_files_does_not_load_what_reads_them(pytester):
    """Not the collector, and not the checks."""
    pytester.makepyfile(
        "import sys\ndef test_it(): assert 'pytest_wml.runner.contract_files.collector' not in sys.modules"
    )
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_replay_loads_no_tensorflow(recorded):
    """In a process of its own, which here is a worker of xdist's."""
    with (recorded.path / "conftest.py").open("a") as file:
        file.write('\ndef pytest_runtest_teardown():\n    import sys\n    assert "tensorflow" not in sys.modules\n')
    recorded.runpytest_inprocess(*QUIET, "-n", "1").assert_outcomes(passed=10, skipped=1)


@pytest.mark.slow
def test_workers_record_one_recording(project):
    """Which one of them replays."""
    project.runpytest_subprocess(*QUIET, "-n", "2", "--wml=embedded", "--wml-record").assert_outcomes(passed=11)
    project.runpytest_inprocess(*QUIET).assert_outcomes(passed=10, skipped=1)


@pytest.mark.slow
@pytest.mark.parametrize("ini", ["wml_model = pixels.tar.gz", "wml_deployments =\n    pixels = pixels.tar.gz"])
def test_the_models_of_the_run_are_deployed_once(project, ini):
    """For tests in Python and contract files together, also recorded."""
    project.makeini(f"[pytest]\n{ini}\n")
    project.makepyfile("def test_it(wml_deployment): assert wml_deployment.name == 'pixels'")
    if "deployments" in ini:
        edit(project, "model: pixels.tar.gz", "model: pixels")
    result = project.runpytest_inprocess(*QUIET, "--wml=embedded", "--wml-record")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["*1 deployed;*"])
    project.runpytest_inprocess(*QUIET).assert_outcomes(passed=11, skipped=1)


@pytest.mark.slow
def test_files_about_one_model_share_it_and_others_have_their_own(project, pixels):
    """Each with its recording."""
    folder = project.mkdir("other")
    shutil.copy(pixels["other"], folder / "bright.tar.gz")
    (folder / "bright.wml.yaml").write_text("model: bright.tar.gz\nerrors: yes\nprobabilities: yes\n")
    (project.path / "again.wml.yaml").write_text("model: pixels.tar.gz\nrest: yes\n")
    result = project.runpytest_inprocess(*QUIET, "--wml=embedded", "--wml-record")
    result.assert_outcomes(passed=14)
    result.stdout.fnmatch_lines(["*2 deployed;*"])
    assert {path.stem for path in (project.path / "cassettes").iterdir()} >= {"pixels", "bright"}
    project.runpytest_inprocess(*QUIET).assert_outcomes(passed=13, skipped=1)


def test_another_model_fails_the_replay(recorded, pixels):
    """As everywhere: a recording is bound to its model."""
    shutil.copy(pixels["other"], recorded.path / "pixels.tar.gz")
    result = recorded.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=11)
    result.stdout.fnmatch_lines(["*The model changed: cassette pixels was recorded with another one*"])


@pytest.mark.slow
@pytest.mark.parametrize("ini", ["", "wml_deployment = theirs\nwml_name = prod\n"])
def test_a_deployment_that_exists_already_is_only_scored(pytester, pixels, ini):
    """Whether the run has it anyway or not; nothing is created, changed or deleted."""
    shutil.copy(pixels["first"], pytester.path / "theirs.tar.gz")
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.makeconftest(dedent(CONFTEST) + LABEL)
    (pytester.path / "theirs.wml.yaml").write_text("deployment: theirs\nprobabilities: yes\nrest: yes\n")
    result = pytester.runpytest_inprocess(*QUIET, "--wml=embedded", "--wml-record")
    result.assert_outcomes(passed=2)
    asked = result.stdout.str().partition("asked:")[2].partition("\n")[0]
    assert not re.search(r"DELETE|PATCH|PUT|POST /ml/v4/(models|deployments)(\||$)", asked)
    assert (pytester.path / "cassettes" / f"{'prod' if ini else 'theirs'}.yaml").exists()
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=2)
