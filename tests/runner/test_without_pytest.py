"""The same deployment without pytest: in scripts, in unittest's classes, and beside the active plugin.

The long way, from training to scoring, is the script of docs/howto/without-pytest.md, run by tests/documents.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

import pytest_wml
from pytest_wml import WmlDeployment, WMLTestError
from pytest_wml.replay.replay import MissingRecording, ModelChanged
from tests.ibm import client

CREDENTIALS = {"url": "https://us-south.ml.cloud.ibm.com", "apikey": "any"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The working folder of a script."""
    monkeypatch.chdir(tmp_path)


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the working folder."""
    Path("script.py").write_text(dedent(script))
    return subprocess.run([sys.executable, "script.py", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_script_with_a_deployment(archives):
    """Recorded by one run and replayed by the next, which needs neither TensorFlow nor the embedded service."""
    script = f"""
        import sys
        import numpy as np
        from pytest_wml import WmlDeployment

        record = sys.argv[1:] == ["record"]
        mode = "embedded" if record else "replay"
        with WmlDeployment({str(archives["first"])!r}, mode=mode, record=record) as deployment:
            print(mode, deployment.predict(np.eye(4).reshape(4, 2, 2, 1)).classes.tolist())
        assert record or not {{"tensorflow", "werkzeug", "vcr"}} & set(sys.modules)
    """
    ended = run(script, "record")
    assert (ended.stdout, ended.returncode) == ("embedded [0, 1, 2, 3]\n", 0), ended.stderr
    ended = run(script)
    assert (ended.stdout, ended.returncode) == ("replay [0, 1, 2, 3]\n", 0), ended.stderr


@pytest.mark.slow
def test_a_unittest_class(archives):
    """`enterClassContext` stores the model once for all tests of a class, and deletes it at the end."""
    ended = run(
        f"""
        import unittest
        import numpy as np
        from pytest_wml import WmlDeployment

        class Contract(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.deployment = cls.enterClassContext(WmlDeployment({str(archives["first"])!r}, mode="embedded"))

            def test_zero(self):
                self.assertEqual(self.deployment.predict(np.eye(4)[:1].reshape(1, 2, 2)).classes.tolist(), [0])

            def test_one(self):
                self.assertEqual(self.deployment.predict(np.eye(4)[1:2].reshape(1, 2, 2)).classes.tolist(), [1])

        unittest.main()
        """
    )
    assert "Ran 2 tests" in ended.stderr
    assert ended.returncode == 0, ended.stderr


def test_blocks_are_nested_and_used_again():
    """The innermost service answers, and the outer one again when it has ended."""
    before = set(threading.enumerate())
    with pytest_wml.embedded():
        outer = client(**CREDENTIALS)
        space = {"name": "outer", "storage": {"resource_crn": "crn:of-storage"}}
        made = outer.spaces.store(space)["metadata"]["id"]
        with pytest_wml.embedded():
            inner = client(**CREDENTIALS)
            assert made not in [one["metadata"]["id"] for one in inner.spaces.get_details()["resources"]]
        assert made in [one["metadata"]["id"] for one in outer.spaces.get_details()["resources"]]
    with pytest.raises(ZeroDivisionError), pytest_wml.embedded():
        client(**CREDENTIALS).spaces.get_details()["resources"][1 // 0]
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("wml us-south")]


def test_another_thread_cannot_open_a_second_block():
    """Any thread may ask; the door of another thread would close in the wrong order."""
    told = []

    def second():
        try:
            with pytest_wml.embedded():
                pass
        except WMLTestError as error:
            told.append(str(error))

    with pytest_wml.embedded():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "Another thread intercepts the connections to IBM." in told[0]


def test_what_nothing_answers_is_told_in_our_words(archives):
    """A request that was not recorded, though IBM's client has words of its own for it, or none."""
    with WmlDeployment(archives["first"], mode="embedded", record=True) as deployment:
        deployment.predict([[[1, 0], [0, 0]]])
    with WmlDeployment(archives["first"]) as deployment:
        assert deployment.predict([[[1, 0], [0, 0]]]).classes.tolist() == [0]
        with pytest.raises(MissingRecording, match="they part at"):
            deployment.predict([[[0, 1], [0, 0]]])
    with pytest.raises(ModelChanged), WmlDeployment(archives["other"], name="first"):
        pass
    with pytest.raises(MissingRecording), WmlDeployment(archives["first"]) as deployment:
        deployment.client.repository.list_models()


def test_live_is_refused_inside_an_offline_run(monkeypatch):
    """The run of this test replays."""
    monkeypatch.setenv("WML_APIKEY", "k")
    monkeypatch.setenv("WML_SPACE_ID", "s")
    with pytest.raises(WMLTestError, match="refuses connections to the live service"), WmlDeployment(mode="live"):
        pass


def test_two_blocks_record_into_one_file(archives):
    """The second adds to what the first recorded: tests, or another class, may need it."""
    rows = [[[[1.0], [0.0]], [[0.0], [0.0]]]], [[[[0.0], [1.0]], [[0.0], [0.0]]]]
    for row in rows:
        with WmlDeployment(archives["first"], mode="embedded", record=True) as deployment:
            deployment.predict(row)
    with WmlDeployment(archives["first"]) as deployment:
        assert [deployment.predict(row).classes.tolist() for row in rows] == [[0], [1]]


@pytest.mark.parametrize("options", [{"mode": "recorded"}, {"record": True}])
def test_wrong_options_are_told_at_once(options):
    """Before anything is opened."""
    with pytest.raises(WMLTestError, match=r"There is no mode 'recorded'|Nothing can be recorded in replay"):
        WmlDeployment(**options)
