"""Which recording a request belongs to, whatever order and selection of tests, and what an unlucky run leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

RECORD = ("--wml=embedded", "--wml-record")


def test_a_list_shows_the_deployment_by_its_recorded_id(pytester, project):
    """The id in one recording's list is the id that the other recording's creation answered."""
    pytester.makepyfile(
        test_model="""
        def test_list(wml_client, wml_deployment):
            ids = [one["metadata"]["id"] for one in wml_client.deployments.get_details()["resources"]]
            assert wml_deployment.id in ids
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    first = (project.cassette.parent / "test_model.test_list.yaml").read_text()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    assert (project.cassette.parent / "test_model.test_list.yaml").read_text() == first


TEARDOWN = """
    import pytest

    @pytest.fixture(scope="session")
    def cleaner(wml_client):
        yield
        assert wml_client.hardware_specifications.get_id_by_name("S") != "Not Found"

    def test_a(cleaner): pass
    def test_b(): pass
    def test_c(): pass
"""


@pytest.mark.slow
def test_a_fixtures_teardown_is_the_fixtures(pytester, project):
    """What a session fixture asks at its end belongs to it, and not to the test that happens to be the last."""
    pytester.makepyfile(test_model=TEARDOWN)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=3)
    assert [path.name for path in project.cassette.parent.iterdir()] == ["cleaner.yaml"]
    pytester.runpytest_inprocess().assert_outcomes(passed=3)
    pytester.runpytest_inprocess("test_model.py::test_a").assert_outcomes(passed=1)
    pytester.runpytest_inprocess("-n", "2").assert_outcomes(passed=3)


def test_an_unrelated_failure_does_not_prevent_the_recording(pytester, project):
    """The last test fails without having used WML: the deployment is recorded all the same."""
    (project.folder / "test_z.py").write_text("def test_z(): assert 0\n")
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=6, failed=1)
    assert project.cassette.exists()


def test_parameters_that_look_alike_have_recordings_of_their_own(pytester, project):
    """[a/b] and [a.b] are two tests, [A] and [a] too where a file system ignores case."""
    pytester.makepyfile(
        test_model="""
        import pytest

        @pytest.mark.parametrize("which", ["a/b", "a.b", "a::b", "a.pyb", "A.B"])
        def test_it(wml_client, which):
            assert wml_client.hardware_specifications.get_id_by_name("S") != "Not Found"
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=5)
    names = [path.name.lower() for path in project.cassette.parent.iterdir()]
    assert len(set(names)) == 5


@pytest.mark.slow
def test_an_interrupted_recording_leaves_the_old_one(pytester, recorded_project):
    """Ctrl-C in the middle: half a recording is worse than the old one."""
    before = recorded_project.cassette.read_bytes()
    with (recorded_project.folder / "test_model.py").open("a") as file:
        file.write("\ndef test_interrupted():\n    raise KeyboardInterrupt\n\ndef test_never(wml_deployment): pass\n")
    result = pytester.runpytest_subprocess(*RECORD)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*Nothing was recorded: the run was interrupted.*"])
    assert recorded_project.cassette.read_bytes() == before


def test_recording_one_folder_of_a_new_model_drops_the_old_models_answers(pytester, recorded_project, archives):
    """Answers of the old model are no recording of the new one."""
    recorded_project.replace_model(archives["other"])
    pytester.runpytest_inprocess(*RECORD, "test_model.py").assert_outcomes(passed=6)
    pytester.runpytest_inprocess().assert_outcomes(passed=6)


TWO_MODELS = """
    import numpy as np
    import pytest

    IMAGE = np.full((1, 2, 2, 1), 0.5, "float32").tolist()

    @pytest.fixture(scope="session")
    def both(wml_client):
        names, config = wml_client.repository.ModelMetaNames, wml_client.deployments.ConfigurationMetaNames
        spec = wml_client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        made = []
        for path in ("model.tar.gz", "challenger.tar.gz"):
            meta = {names.NAME: path, names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
            model = wml_client.repository.store_model(model=path, meta_props=meta)["metadata"]["id"]
            details = wml_client.deployments.create(model, meta_props={config.NAME: path, config.ONLINE: {}})
            made.append(details["metadata"]["id"])
        return made

    @pytest.mark.parametrize("times", [1, 2])
    def test_challenger(wml_client, both, times):
        wml_client.deployments.score(both[1], {"input_data": [{"values": IMAGE * times}]})
"""


def test_two_models_in_one_recording_are_both_looked_at(pytester, project, archives):
    """Recording one test again after the second model changed would mix its old and new answers: refused."""
    import shutil

    pytester.makepyfile(test_model=TWO_MODELS)
    shutil.copy(archives["first"], project.folder / "challenger.tar.gz")
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=2)
    shutil.copy(archives["other"], project.folder / "challenger.tar.gz")
    pytester.runpytest_inprocess().assert_outcomes(errors=2)
    result = pytester.runpytest_inprocess(*RECORD, "-k", "challenger and 1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Cassette both belongs to another model*"])
    pytester.runpytest_inprocess().assert_outcomes(errors=2)


KEY = "S3CRETKEY-that-nobody-may-see"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("htp://nonsense", "The URL of the WML credentials is not valid"),
        ("https://foo.example.com", "refuses the credentials"),
    ],
)
def test_a_wrong_url_is_one_message_without_the_key(pytester, monkeypatch, url, message):
    """Also with pytest's longest tracebacks and local variables, on the terminal and in the JUnit file."""
    monkeypatch.setenv("WML_URL", url)
    monkeypatch.setenv("WML_APIKEY", KEY)
    pytester.makepyfile("def test_one(wml_client): pass")
    result = pytester.runpytest_inprocess("--wml=embedded", "-l", "--tb=long", "--junitxml=j.xml")
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()
    assert KEY not in result.stdout.str() + (pytester.path / "j.xml").read_text()


def test_an_import_that_fails_does_not_show_the_key(pytester, monkeypatch):
    """A module's own credentials among the local variables of its failing import are covered."""
    monkeypatch.setenv("WML_APIKEY", KEY)
    pytester.makepyfile(
        """
        import os

        def connect():
            credentials = {"apikey": os.environ["WML_APIKEY"]}
            raise RuntimeError("no connection")

        connect()
        """
    )
    result = pytester.runpytest_inprocess("-l", "--tb=long", "--junitxml=j.xml")
    result.assert_outcomes(errors=1)
    assert KEY not in result.stdout.str() + (pytester.path / "j.xml").read_text()


@pytest.mark.slow
def test_paths_on_the_command_line_count_from_where_pytest_was_started(pytester, recorded_project):
    """From a subfolder, ../model.tar.gz is what the shell completes it to."""
    (recorded_project.folder / "sub").mkdir()
    arguments = [sys.executable, "-m", "pytest", "-q", "--wml-model=../model.tar.gz", ".."]
    run = subprocess.run(arguments, cwd=recorded_project.folder / "sub", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.slow
def test_sigint_is_no_recording(pytester, recorded_project):
    """A real signal to a real process."""
    before = recorded_project.cassette.read_bytes()
    with (recorded_project.folder / "test_model.py").open("a") as file:
        file.write(
            "\ndef test_signal(wml_deployment):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n"
        )
    result = pytester.runpytest_subprocess(*RECORD)
    assert result.ret in (pytest.ExitCode.INTERRUPTED, -signal.SIGINT)
    assert recorded_project.cassette.read_bytes() == before
    assert json.loads(before)
