"""What a run leaves behind: the page, JUnit's properties, GitHub's annotations."""

from __future__ import annotations

import pickle
import re
import xml.etree.ElementTree as ET

import pytest

WORKERS = [pytest.param("0"), pytest.param("2", marks=pytest.mark.slow)]


@pytest.mark.parametrize("workers", WORKERS)
def test_the_report_tells_of_every_check(suite, workers):
    """Broken and held ones, the recording, the model; also out of xdist's workers."""
    result = suite.runpytest_inprocess("--wml-report=out", "-n", workers)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["report: *out/index.html"])
    text = (suite.path / "out" / "index.html").read_text()
    assert re.findall(r'class="card check" data-state="(\w+)"', text) == ["broken", "held"]
    for told in (
        "<h1>1 failed, 2 passed</h1>",
        "test_wrong_labels",
        "recorded 20",
        "0008c4911fc60d5c",
        "data:image/png",
    ):
        assert told in text
    assert "test_without_wml" not in text
    assert [path.name for path in (suite.path / "out").iterdir()] == ["index.html"]


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_junit_has_properties(suite, workers):
    """Mode, model and live calls of each test that used WML, and of no other."""
    suite.runpytest_inprocess("--junitxml=junit.xml", "-n", workers)
    told = {
        case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in ET.parse(suite.path / "junit.xml").iter("testcase")
    }
    assert told["test_without_wml"] == {}
    for test in ("test_classes", "test_wrong_labels"):
        assert told[test].pop("wml.model_digest").startswith("0008c4911fc60d5c")
        assert told[test] == {"wml.mode": "replay", "wml.live_calls": "0"}


@pytest.mark.parametrize("workers", WORKERS)
def test_github_is_told_of_a_broken_contract(suite, monkeypatch, workers):
    """Once, at the line of the test, and in the job's summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(suite.path.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "summary.md"))
    monkeypatch.setenv("CI", "")
    result = suite.runpytest_inprocess("-n", workers, "-p", "no:pytest_github_actions_annotate_failures")
    commands = [line for line in result.outlines if line.startswith("::error ")]
    place = f"file={suite.path.name}/test_digits.py,line=10,title=Contract broken%3A classes"
    assert len(commands) == 1
    assert commands[0].startswith(f"::error {place}::classes: 2 findings")
    assert "%0Arow 8: expected 9, got 8" in commands[0]
    summary = (suite.path / "summary.md").read_text()
    assert summary.startswith("### 1 failed, 2 passed\n\nWML: 2 checks, 1 broken; answered by replay")
    assert (
        "| failed | <code>test&#95;digits.py&#58;&#58;test&#95;wrong&#95;labels</code> | classes&#58; 2 find" in summary
    )


def test_github_is_told_of_a_changed_model_once(suite, monkeypatch, tmp_path):
    """However many tests it fails."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "weights.pkl").write_bytes(pickle.dumps("another model"))
    result = suite.runpytest_inprocess(f"--wml-model={folder / 'weights.pkl'}", "--wml-name=mnist_cnn", "-n", "0")
    commands = [line for line in result.outlines if line.startswith("::error ")]
    assert len(commands) == 1
    assert "title=Model changed::" in commands[0]


@pytest.mark.slow
def test_nothing_is_told_elsewhere(suite, monkeypatch):
    """No workflow command, no file, and the package that makes them is not imported."""
    suite.makeconftest(
        """
        import sys

        def pytest_sessionfinish():
            assert "pytest_wml.runner.report" not in sys.modules
        """
    )
    result = suite.runpytest_subprocess("-n", "0", "-p", "no:cacheprovider", "-k", "not labels")
    result.assert_outcomes(passed=2, deselected=1)
    result.stdout.no_fnmatch_line("::error*")


def test_an_interrupted_run_tells_what_it_knows(suite):
    """The checks that ended, also of the test that was interrupted."""
    suite.makepyfile(
        test_digits="""
        import numpy as np

        def test_classes(wml_contract, wml_digits):
            wml_contract.classes(np.stack([wml_digits[label] for label in range(10)]), range(10))
            raise KeyboardInterrupt
        """
    )
    suite.runpytest_inprocess("--wml-report=out", "-n", "0", no_reraise_ctrlc=True)
    text = (suite.path / "out" / "index.html").read_text()
    assert "Run not finished" in text
    assert 'class="card check" data-state="held"' in text


def test_a_report_that_cannot_be_written_fails_the_run(suite):
    """It is told, with the way on."""
    (suite.path / "taken").write_text("a file")
    result = suite.runpytest_inprocess("--wml-report=taken/below", "-n", "0", "-k", "test_classes")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["outside any test: The report could not be written."])


def test_a_file_is_no_folder(suite):
    """`--wml-report=report.html` is a mistake that would make a folder of that name."""
    result = suite.runpytest_inprocess("--wml-report=report.html", "-n", "0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
