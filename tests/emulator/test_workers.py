"""What runs in a process of its own may crash, hang and exit; the service goes on, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, error_of, predictions_of
from tests.emulator.test_functions import deployed, failure

MOODY = """
import os, signal, sys, time

def score(payload):
    mood = payload["input_data"][0]["values"]
    if mood == "pid":
        return os.getpid()
    if mood == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mood == "exit":
        print("the last words", file=sys.stderr, flush=True)
        os._exit(3)
    if mood == "hang":
        while True:
            time.sleep(1)
    if mood == "large":
        return "x" * (4 << 20)
    if mood == "closed":
        os.closerange(3, 64)
        time.sleep(600)
    if mood == "first to go":
        return open("/proc/self/oom_score_adj").read().strip()
    if mood == "child":
        return __import__("subprocess").Popen(["sleep", "600"]).pid
    return {"predictions": [{"values": mood}]}
"""
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals are those of POSIX")


@pytest.fixture(scope="module")
def moody(trusting) -> str:
    """A deployment of the function, for all tests that leave it scoring."""
    return deployed(trusting, MOODY)["metadata"]["id"]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that is ending is waited for, by reading until its file is gone."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(1_000_000):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        ("crash", "The process of the model ended by signal SIGSEGV."),
        ("exit", "The process of the model ended with exit status 3: the last words."),
        ("closed", "The process of the model closed or damaged its connection to the service, and was ended."),
    ],
)
def test_a_broken_model_breaks_one_request(trusting, moody, mood, message):
    """The request is told why, and the next one finds the model loaded anew."""
    answer = trusting.score(moody, {"values": mood})
    assert (answer.status_code, error_of(answer)["code"]) == (500, "scoring_failed")
    assert error_of(answer)["message"] == message
    assert predictions_of(trusting.score(moody, {"values": "fine"})) == [{"values": "fine"}]


def test_a_model_that_hangs_breaks_one_request():
    """It is ended after the deadline, and the next request finds it loaded anew."""
    with EmbeddedWML(allow_pickle=True, deadline=1.0) as app:
        rest = Rest(app)
        moody = deployed(rest, MOODY)["metadata"]["id"]
        answer = rest.score(moody, {"values": "hang"})
        assert (answer.status_code, error_of(answer)["code"]) == (504, "scoring_timed_out")
        assert error_of(answer)["message"] == (
            "The process of the model did not answer within 1 s and was ended. "
            "pytest-wml's embedded service waits no longer."
        )
        assert predictions_of(rest.score(moody, {"values": "fine"})) == [{"values": "fine"}]
    assert app.crashes == []


def test_what_hangs_while_it_is_loaded_fails(monkeypatch):
    """The deployment, with a reason."""
    monkeypatch.setattr("pytest_wml.emulator.runtimes.loading._LOAD_DEADLINE", 1.0)
    with EmbeddedWML(allow_pickle=True) as app:
        message = failure(Rest(app), "while True: pass")
    assert message == "The process of the model did not answer within 1 s and was ended while it was loaded."


def test_what_crashes_while_it_is_loaded_fails(trusting):
    """The deployment, with a reason."""
    assert "ended by signal SIGABRT while it was loaded" in failure(trusting, "import os; os.abort()")


def test_a_long_answer_arrives_whole(trusting, moody):
    """Also one that no pipe holds at once."""
    assert len(trusting.score(moody, {"values": "large"}).json) == 4 << 20


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="only Linux chooses whom to end")
def test_a_worker_goes_first_when_memory_runs_out(trusting, moody):
    """And not the process of the tests."""
    assert trusting.score(moody, {"values": "first to go"}).json == "1000"


def test_many_threads_share_a_worker(trusting, moody):
    """Each gets the answer to what it asked."""

    def score(index: int) -> int:
        return predictions_of(trusting.score(moody, {"values": index}))[0]["values"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(score, range(200))) == list(range(200))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_nothing_is_left_when_the_service_closes():
    """Neither the worker nor what it started."""
    with EmbeddedWML(allow_pickle=True) as app:
        rest = Rest(app)
        deployment_id = deployed(rest, MOODY)["metadata"]["id"]
        pids = [rest.score(deployment_id, {"values": mood}).json for mood in ("pid", "child")]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert all(map(gone, pids))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_nothing_is_left_when_a_deployment_is_deleted(trusting):
    """Its worker goes when nothing serves the same code any more."""
    own = deployed(trusting, f"{MOODY}\n# served by nothing else")
    deployment_id, function_id = own["metadata"]["id"], own["entity"]["asset"]["id"]
    pid = trusting.score(deployment_id, {"values": "pid"}).json
    trusting.space("DELETE", f"/ml/v4/deployments/{deployment_id}")
    trusting.space("DELETE", f"/ml/v4/functions/{function_id}")
    assert gone(pid)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("mood", ["fine", "hang"])
def test_nothing_is_left_when_the_tests_are_killed(mood, tmp_path):
    """The worker hears its pipe close, whatever its model does at that time."""
    root = Path(__file__).parents[2]
    # At the end of the path: the installed package comes first, where one is being tested.
    script = f"""
import pathlib, sys, threading
sys.path.append({str(root)!r})
from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest
from tests.emulator.test_functions import deployed
from tests.emulator.test_workers import MOODY
rest = Rest(EmbeddedWML(allow_pickle=True, folder=pathlib.Path({str(tmp_path)!r})))
deployment_id = deployed(rest, MOODY)["metadata"]["id"]
pid = rest.score(deployment_id, {{"values": "pid"}}).json
threading.Thread(target=rest.score, args=(deployment_id, {{"values": {mood!r}}}), daemon=True).start()
print(pid, flush=True)
input()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert gone(pid)


@pytest.mark.slow
def test_tensorflow_may_run_in_a_process_of_its_own(archives):
    """Asked for, it costs a load of TensorFlow, and a graph without an end is ended."""
    with EmbeddedWML(isolate_tensorflow=True, deadline=5.0) as app:
        rest = Rest(app)
        deployment_id = rest.ready(archives["lookup"])
        assert predictions_of(rest.score(deployment_id, {"values": [2]})) == [{"id": "value", "values": [12.0]}]
        assert rest.score(deployment_id, {"values": [3]}).status_code == 400
        endless = rest.ready(archives["endless"])
        assert rest.score(endless, {"values": [1.0]}).status_code == 504
