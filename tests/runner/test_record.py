"""Recording: written once, whole, by tests that passed."""

from __future__ import annotations

import json

import pytest

from pytest_wml.replay.cassette.file import load

RECORD = ("--wml=embedded", "--wml-record")


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_recording_again_gives_the_same_file(pytester, recorded_project, workers):
    """An unchanged service and model give an unchanged file, in one process or in several."""
    before = json.loads(recorded_project.cassette.read_text())
    recorded_project.cassette.unlink()
    result = pytester.runpytest_inprocess(*RECORD, "-n", workers)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["tiny.yaml: written, * interactions"])
    after = json.loads(recorded_project.cassette.read_text())
    before["metadata"]["pytest-wml"].pop("recorded_at")
    after["metadata"]["pytest-wml"].pop("recorded_at")
    assert after == before


def test_without_the_option_nothing_is_written(pytester, project):
    """Scoring on the embedded service leaves no file behind."""
    pytester.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=6)
    assert not project.cassette.parent.exists()


def test_a_failing_test_writes_nothing(pytester, project):
    """What a wrong test saw is no recording."""
    with (project.folder / "test_model.py").open("a") as file:
        file.write("\ndef test_wrong(wml_deployment):\n    assert wml_deployment.predict(IMAGES).classes[0] == 9\n")
    result = pytester.runpytest_inprocess(*RECORD)
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["tiny.yaml: not written: test_model.py::test_wrong failed"])
    assert not project.cassette.exists()


def test_the_api_key_is_in_no_file(pytester, project, monkeypatch):
    """Neither the key nor any token that it was exchanged for reaches the disk."""
    monkeypatch.setenv("WML_APIKEY", "a-key-that-nobody-may-see")
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=6)
    text = project.cassette.read_text()
    assert "a-key-that-nobody-may-see" not in text
    assert "eyJ" not in text
    assert "oidc/token" not in text


def test_a_payload_that_holds_the_key_is_not_written(pytester, project, monkeypatch):
    """A secret at an unexpected place: nothing is written, and the run fails."""
    monkeypatch.setenv("WML_APIKEY", "a-key-that-nobody-may-see")
    pytester.makepyfile(
        test_model="""
        import requests
        URL = "https://us-south.ml.cloud.ibm.com/ml/v4/models"

        def test_leak(wml_client):
            headers = {"Authorization": "Bearer " + wml_client.wml_token}
            space = wml_client.default_space_id
            body = {"name": "a-key-that-nobody-may-see", "type": "tensorflow_2.14", "space_id": space,
                    "software_spec": {"name": "runtime-24.1-py3.11"}}
            assert requests.post(URL + "?version=2020-01-01", json=body, headers=headers, timeout=5).status_code == 201
        """
    )
    result = pytester.runpytest_inprocess(*RECORD)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*was not written: it contains * of this run's secrets.*"])
    assert not list(project.folder.glob("cassettes/*"))
    assert "a-key-that-nobody-may-see" not in result.stdout.str()


def test_recording_one_test_keeps_the_others(pytester, recorded_project):
    """A new test recorded alone is added to the recording; the others still replay."""
    with (recorded_project.folder / "test_model.py").open("a") as file:
        file.write("\ndef test_new(wml_deployment):\n    assert wml_deployment.predict(IMAGES[:2]).classes[1] == 1\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=6, failed=1)
    pytester.runpytest_inprocess(*RECORD, "-k", "test_new").assert_outcomes(passed=1, deselected=6)
    pytester.runpytest_inprocess().assert_outcomes(passed=7)


def test_recording_in_a_subfolder_keeps_the_others(pytester, recorded_project, monkeypatch):
    """What the tests outside the folder have recorded is still there, and nothing else of the file changes."""
    before = load(recorded_project.cassette).interactions
    text = (recorded_project.folder / "test_model.py").read_text().split("@pytest.mark")[0]
    folder = recorded_project.folder / "sub"
    folder.mkdir()
    (folder / "test_new.py").write_text(text.replace("(IMAGES)", "(IMAGES[:2])").replace(", 2, 3]", "]"))
    monkeypatch.chdir(folder)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    monkeypatch.chdir(recorded_project.folder)
    pytester.runpytest_inprocess().assert_outcomes(passed=7)
    after = load(recorded_project.cassette).interactions
    assert [one for one in after if one in before] == list(before)
    assert len(after) == len(before) + 1


def test_a_skipped_test_keeps_its_recording(pytester, recorded_project):
    """What the recording run left out is needed where the test is not skipped."""
    before = recorded_project.cassette.read_text()
    tests = recorded_project.folder / "test_model.py"
    tests.write_text(tests.read_text().replace("@pytest.mark.par", "@pytest.mark.skip\n@pytest.mark.par"))
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=2, skipped=4)
    assert recorded_project.cassette.read_text() == before


def test_recording_one_test_of_another_model_is_refused(pytester, recorded_project, archives):
    """Half a recording of each of two models would belong to neither."""
    before = recorded_project.cassette.read_bytes()
    recorded_project.replace_model(archives["other"])
    result = pytester.runpytest_inprocess(*RECORD, "-k", "each_image")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Cassette tiny belongs to another model*"])
    assert recorded_project.cassette.read_bytes() == before


def test_a_folder_that_cannot_be_written(pytester, project):
    """The error names the folder, and the run fails."""
    (project.folder / "cassettes").write_text("a file where the folder should be")
    result = pytester.runpytest_inprocess(*RECORD)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["tiny.yaml: not written: *"])


def test_a_test_of_its_own_gets_a_cassette_of_its_own(pytester, project):
    """What a test asks besides the deployment is recorded under the test's name, and replayed."""
    pytester.makepyfile(
        test_own="""
        import pytest

        def test_list(wml_client):
            assert wml_client.hardware_specifications.get_id_by_name("S") != "Not Found"

        @pytest.mark.wml(cassette="sizes")
        def test_named(wml_client):
            assert wml_client.hardware_specifications.get_id_by_name("M") != "Not Found"
        """
    )
    pytester.runpytest_inprocess(*RECORD, "test_own.py").assert_outcomes(passed=2)
    names = sorted(path.name for path in project.cassette.parent.iterdir())
    assert names == ["sizes.yaml", "test_own.test_list.yaml"]
    pytester.runpytest_inprocess("test_own.py").assert_outcomes(passed=2)


@pytest.mark.slow
def test_a_full_disk_while_recording(recorded_project, pytester):
    """The run fails and says why; the recording that was there is whole, and no half of the new one lies about."""
    before = recorded_project.cassette.read_bytes()
    pytester.makeconftest(
        """
        import resource
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        """
    )
    result = pytester.runpytest_subprocess("--wml=embedded", "--wml-record", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["tiny.yaml: not written: File too large*"])
    assert recorded_project.cassette.read_bytes() == before
    assert [path.name for path in recorded_project.cassette.parent.iterdir()] == ["tiny.yaml"]
