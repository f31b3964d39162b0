"""One recording for a whole team: any account, region, machine and number of workers."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
import time_machine

from pytest_wml.replay.cassette.file import load

RECORD = ("--wml=embedded", "--wml-record")
MINE, YOURS = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"


def becomes(monkeypatch, region, space):
    """A colleague with an account of their own."""
    monkeypatch.setenv("WML_URL", f"https://{region}.ml.cloud.ibm.com")
    monkeypatch.setenv("WML_APIKEY", f"key-of-somebody-in-{region}")
    monkeypatch.setenv("WML_SPACE_ID", space)


def without_date(path):
    document = json.loads(path.read_text())
    document["metadata"]["pytest-wml"].pop("recorded_at")
    return document


def test_recorded_in_dallas_replays_in_frankfurt(pytester, project, monkeypatch):
    """Region and space are variables: the client gets its own back, and its own scoring URL."""
    becomes(monkeypatch, "us-south", MINE)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=6)
    assert MINE not in project.cassette.read_text()
    pytester.makepyfile(
        test_place=f"""
        def test_place(wml_client, wml_deployment):
            assert wml_deployment.scoring_url.startswith("https://eu-de.ml.cloud.ibm.com/ml/v4/deployments/")
            details = wml_client.deployments.get_details(wml_deployment.id)
            assert details["entity"]["space_id"] == "{YOURS}"
        """
    )
    becomes(monkeypatch, "eu-de", YOURS)
    pytester.runpytest_inprocess().assert_outcomes(passed=7)


def test_any_member_records_the_same_file(pytester, project, monkeypatch):
    """Another account in another region: no line of the file changes."""
    becomes(monkeypatch, "us-south", MINE)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=6)
    first = without_date(project.cassette)
    project.cassette.unlink()
    becomes(monkeypatch, "jp-tok", YOURS)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=6)
    assert without_date(project.cassette) == first


@pytest.mark.slow
def test_two_branches_that_each_add_a_test(pytester, recorded_project):
    """Each records with its own test, on another day; git merges the recording without help, and all tests replay."""

    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=recorded_project.folder, check=True, capture_output=True)

    def add(name, first, day):
        tests = (recorded_project.folder / "test_model.py").read_text().split("@pytest.mark")[0]
        mine = tests.replace("(IMAGES)", f"(IMAGES[{first}:{first + 2}])").replace(
            "[0, 1, 2, 3]", f"[{first}, {first + 1}]"
        )
        (recorded_project.folder / f"test_{name}.py").write_text(mine)
        with time_machine.travel(day, tick=True):
            pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=7)
        git("add", ".")
        git("commit", "-qm", name)

    git("init", "-q", "-b", "main")
    git("add", "cassettes", "*.py", "*.ini", "*.tar.gz")
    git("commit", "-qm", "base")
    git("checkout", "-qb", "other")
    add("other", 0, "2030-01-02")
    git("checkout", "-q", "main")
    add("mine", 2, "2030-01-03")
    git("merge", "-q", "other")
    pytester.runpytest_inprocess().assert_outcomes(passed=8)


@pytest.mark.slow
def test_a_killed_run_leaves_the_old_file(pytester, recorded_project):
    """kill -9 in the middle of a recording: the old recording is whole."""
    before = recorded_project.cassette.read_bytes()
    with (recorded_project.folder / "test_model.py").open("a") as file:
        file.write("\ndef test_killed():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    assert pytester.runpytest_subprocess(*RECORD).ret == -signal.SIGKILL
    assert recorded_project.cassette.read_bytes() == before
    assert load(recorded_project.cassette).name == "tiny"
    assert [path.name for path in recorded_project.cassette.parent.iterdir()] == ["tiny.yaml"]


def test_two_deployments_with_one_name(pytester, project):
    """Two fixtures of one name in two folders would record over each other: neither is written."""
    for folder in ("a", "b"):
        (project.folder / folder).mkdir()
        (project.folder / folder / "conftest.py").write_text(
            "import pytest\n\n@pytest.fixture(scope='session')\ndef sizes(wml_client):\n"
            f"    return wml_client.hardware_specifications.get_id_by_name('{'SM'[folder == 'b']}')\n"
        )
        (project.folder / folder / f"test_{folder}.py").write_text("def test_one(sizes): assert sizes != 'Not Found'\n")
    (project.folder / "test_model.py").unlink()
    result = pytester.runpytest_inprocess(*RECORD)
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Cassette sizes was not written: two deployments have one name.*"])
    assert not project.cassette.parent.exists()


@pytest.mark.parametrize("path", sorted(Path("cassettes").glob("*.yaml")), ids=str)
def test_stock_vcrpy_plays_every_recording_that_is_shipped(path):
    """Each interaction's first answer, played by vcrpy with its defaults and the body compared."""
    import requests
    import vcr

    first = {}
    for entry in json.loads(path.read_text())["interactions"]:
        asked = entry["request"]
        first.setdefault((asked["method"], asked["uri"], asked["body"]), entry)
    recorder = vcr.VCR(match_on=["method", "uri", "raw_body"], record_mode="none")
    with recorder.use_cassette(str(path), allow_playback_repeats=True):
        for (method, uri, body), entry in first.items():
            answer = requests.request(method, uri, data=body.encode() if body else None, timeout=5)
            assert answer.status_code == entry["response"]["status"]["code"]
            assert answer.text == entry["response"]["body"]["string"]


@pytest.mark.slow
def test_a_large_models_recording_stays_small(pytester, project, tmp_path):
    """36 MB of weights are kept by digest: the recording of the lifecycle stays under 100 kB."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = tf.Variable(tf.random.uniform([4, 2_400_000], seed=1))
    module.serve = tf.function(
        lambda images: {"sums": tf.reduce_sum(tf.reshape(images, [-1, 4]) @ module.weights, axis=1)},
        input_signature=[tf.TensorSpec([None, 2, 2, 1], tf.float32, name="images")],
    )
    tf.saved_model.save(module, str(tmp_path / "large"), signatures=module.serve)
    from pytest_wml.model.packing import pack

    assert pack(tmp_path / "large", project.archive).size > 30_000_000
    pytester.makepyfile(
        test_model="""
        def test_sums(wml_deployment):
            answer = wml_deployment.predict([[[[1.0], [0.0]], [[0.0], [0.0]]]])
            assert answer.outputs["sums"][0] > 1_000_000
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    assert project.cassette.stat().st_size < 100_000
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_miss_fits_on_a_screen(pytester, recorded_project):
    """A wholly different payload of a thousand rows: at most forty lines, none of them a secret."""
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_other(wml_deployment):
            wml_deployment.predict(np.full((1000, 2, 2, 1), 0.123, "float32"))
        """
    )
    result = pytester.runpytest_inprocess("--show-capture=no")
    result.assert_outcomes(failed=1)
    shown = result.stdout.str().split("test_other ___", 1)[1].split("=====", 1)[0]
    assert len(shown.splitlines()) <= 40
    assert max(map(len, shown.splitlines())) < 200
