"""A model that takes long to load: nobody waits for it who only looks."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception.door import Door
from pytest_wml.live.waiting import DeploymentStuck, watched
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.kept import served
from tests.emulator.rest import Rest, error_of, predictions_of
from tests.emulator.test_data_folder import no_file_beyond
from tests.emulator.test_functions import SUM, store
from tests.emulator.test_workers import gone

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are those of POSIX")


class Slow:
    """A function whose load ends when `let_it_load` is called."""

    def __init__(self, folder: Path, then: str = "") -> None:
        self._pipe, self._started = folder / "pipe", folder / "started"
        os.mkfifo(self._pipe)
        os.mkfifo(self._started)
        self.source = (
            f"import os\nopen({str(self._started)!r}, 'w').write(str(os.getpid()))\nopen({str(self._pipe)!r}).read()\n"
            f"{then}\ndef score(payload):\n    return {{'predictions': payload['input_data']}}\n"
        )

    def pid(self) -> int:
        """The process that loads it, once it does."""
        return int(self._started.read_text())

    def let_it_load(self) -> None:
        self.pid()
        self._pipe.write_text("")


@pytest.fixture
def slow(tmp_path) -> Slow:
    return Slow(tmp_path)


@pytest.fixture
def rest():
    """A service of the test's own that runs functions."""
    with EmbeddedWML(allow_pickle=True) as app:
        yield Rest(app)
    assert app.crashes == []


def made(rest, source, **members) -> str:
    created = rest.create_deployment(store(rest, source), **members)
    assert created.json["entity"]["status"]["state"] == "initializing", created.text
    return created.json["metadata"]["id"]


def state(deployment) -> str:
    return deployment["entity"]["status"]["state"]


def listed(rest, **query) -> list[str]:
    return [state(one) for one in rest.space("GET", "/ml/v4/deployments", **query).json["resources"]]


def test_a_look_does_not_wait_for_the_load(rest, slow):
    """`initializing`, alone and in a list, until the load has ended; then `ready`."""
    deployment_id = made(rest, slow.source)
    assert state(rest.look(deployment_id)) == "initializing"
    assert listed(rest) == listed(rest, state="initializing") == ["initializing"]
    assert not rest.app.wait_for_loads(0.0)
    slow.let_it_load()
    assert state(rest.deployment(deployment_id)) == "ready"
    assert rest.app.wait_for_loads(0.0)
    assert predictions_of(rest.score(deployment_id, {"values": [1]})) == [{"values": [1]}]


def test_a_load_that_fails_says_why_later(rest, tmp_path):
    """`failed` with the reason, when it is known."""
    slow = Slow(tmp_path, then="raise ValueError('no weights')")
    deployment_id = made(rest, slow.source)
    assert state(rest.look(deployment_id)) == "initializing"
    slow.let_it_load()
    status = rest.deployment(deployment_id)["entity"]["status"]
    assert "ValueError: no weights" in status["failure"]["errors"][0]["message"]


def test_a_scoring_waits_for_the_load(rest, slow):
    """It is answered as one that came later."""
    deployment_id = made(rest, slow.source)
    with ThreadPoolExecutor(1) as pool:
        scoring = pool.submit(rest.score, deployment_id, {"values": [1]})
        slow.let_it_load()
        assert predictions_of(scoring.result()) == [{"values": [1]}]


def test_deployments_of_one_model_wait_for_one_load(rest, slow):
    """The second does not begin another."""
    function_id = store(rest, slow.source)
    first, second = (rest.create_deployment(function_id).json["metadata"]["id"] for _ in range(2))
    slow.let_it_load()
    assert state(rest.deployment(first)) == state(rest.deployment(second)) == "ready"


def test_another_load_is_not_waited_for(rest, slow):
    """A quick model is ready while a slow one is being loaded, and who waits is told."""
    first = made(rest, slow.source)
    assert state(rest.deployment(made(rest, SUM))) == "ready"
    assert rest.app.wait_for_loads(0.0)
    assert state(rest.look(first)) == "initializing"
    assert not rest.app.wait_for_loads(0.0)
    slow.let_it_load()


def test_a_deleted_deployment_is_not_loaded_any_more(rest, slow):
    """Its process ends at once, and the function can be deployed again."""
    deployment_id = made(rest, slow.source)
    pid = slow.pid()
    function_id = rest.look(deployment_id)["entity"]["asset"]["id"]
    assert rest.space("DELETE", f"/ml/v4/deployments/{deployment_id}").status_code == 204
    assert gone(pid)
    again = rest.create_deployment(function_id).json["metadata"]["id"]
    slow.let_it_load()
    assert state(rest.deployment(again)) == "ready"


def test_a_load_goes_on_for_another_deployment(rest, slow):
    """It ends with the last deployment that waits for it."""
    function_id = store(rest, slow.source)
    first, second = (rest.create_deployment(function_id).json["metadata"]["id"] for _ in range(2))
    rest.space("DELETE", f"/ml/v4/deployments/{first}")
    slow.let_it_load()
    assert state(rest.deployment(second)) == "ready"


def test_a_patch_does_not_wait_for_the_load(rest, slow):
    """202, and `updating` until the other function is loaded; patched away, it is not loaded any more."""
    deployment_id = made(rest, SUM)

    def patched(function_id):
        operations = [{"op": "replace", "path": "/asset", "value": {"id": function_id}}]
        return rest.space("PATCH", f"/ml/v4/deployments/{deployment_id}", operations)

    before = rest.deployment(deployment_id)["entity"]["asset"]["id"]
    other = store(rest, slow.source)
    answer = patched(other)
    assert (answer.status_code, state(answer.json)) == (202, "updating")
    assert state(rest.look(deployment_id)) == "updating"
    pid = slow.pid()
    assert patched(before).status_code == 202
    assert gone(pid)
    assert state(rest.deployment(deployment_id)) == "ready"
    patched(other)
    slow.let_it_load()
    assert predictions_of(rest.score(deployment_id, {"values": [1]})) == [{"values": [1]}]


def test_a_job_does_not_wait_for_the_load(rest, slow, monkeypatch):
    """It is `running` until its deployment is loaded and has scored it."""
    monkeypatch.setattr("pytest_wml.emulator.batch._PATIENCE", 0.0)
    deployment_id = made(rest, slow.source, online=None, batch={})
    job = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": deployment_id}}
    created = rest.send("POST", "/ml/v4/deployment_jobs", {**job, "scoring": {"input_data": [{"values": [1]}]}})
    path = f"/ml/v4/deployment_jobs/{created.json['metadata']['id']}"

    def look():
        return rest.space("GET", path).json["entity"]["scoring"]

    assert [look()["status"]["state"] for _ in range(3)] == ["running"] * 3
    slow.let_it_load()
    while (scoring := look())["status"]["state"] == "running":
        pass
    assert scoring["predictions"] == [{"values": [1]}]


def test_a_job_of_what_cannot_be_loaded_fails(rest, tmp_path):
    """With the reason, where the job came before it was known."""
    slow = Slow(tmp_path, then="raise ValueError('no weights')")
    deployment_id = made(rest, slow.source, online=None, batch={})
    job = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": deployment_id}}
    created = rest.send("POST", "/ml/v4/deployment_jobs", {**job, "scoring": {"input_data": [{"values": [1]}]}})
    slow.let_it_load()
    path = f"/ml/v4/deployment_jobs/{created.json['metadata']['id']}"
    _, done = (rest.space("GET", path).json["entity"]["scoring"]["status"] for _ in range(2))
    assert done["state"] == "failed"
    assert "no weights" in done["failure"]["errors"][0]["message"]


def test_a_look_after_a_restart_does_not_wait(tmp_path, slow):
    """The deployment is `initializing` until it is loaded again, and then scores."""
    with served(tmp_path / "data", allow_pickle=True) as rest:
        deployment_id = made(rest, slow.source)
        slow.let_it_load()
        rest.deployment(deployment_id)
    with served(tmp_path / "data", allow_pickle=True) as rest:
        assert state(rest.look(deployment_id)) == "initializing"
        assert listed(rest) == ["initializing"]
        slow.let_it_load()
        assert state(rest.deployment(deployment_id)) == "ready"
        assert predictions_of(rest.score(deployment_id, {"values": [1]})) == [{"values": [1]}]


def test_closing_ends_what_is_being_loaded(slow):
    """Neither its process nor a thread is left."""
    with EmbeddedWML(allow_pickle=True) as app:
        made(Rest(app), slow.source)
        pid = slow.pid()
    assert gone(pid)
    assert "wml-load" not in {thread.name for thread in threading.enumerate()}


def test_closing_refuses_the_scorings_that_wait(slow):
    """409, instead of a wait without an end."""
    with ThreadPoolExecutor(1) as pool, EmbeddedWML(allow_pickle=True) as app:
        rest = Rest(app)
        scoring = pool.submit(rest.score, made(rest, slow.source), {"values": [1]})
        slow.pid()
        app.close()
        answer = scoring.result()
    assert (answer.status_code, error_of(answer)["code"]) == (409, "deployment_is_not_ready")


def test_an_interrupt_gives_up_what_is_being_loaded(rest, slow):
    """Who waits for it is answered, and the process that loads it is gone; what is loaded already answers on."""
    loaded = made(rest, "def score(payload): return {'predictions': payload['input_data']}")
    rest.deployment(loaded)
    with ThreadPoolExecutor(1) as pool:
        scoring = pool.submit(rest.score, made(rest, slow.source), {"values": [1]})
        pid = slow.pid()
        assert rest.app.interrupt() is True
        assert error_of(scoring.result())["code"] == "deployment_is_not_ready"
    assert gone(pid)
    assert rest.score(loaded, {"values": [1]}).status_code == 200
    assert rest.app.interrupt() is False


def test_a_full_disk_fails_the_deployment(archives):
    """With the reason; a new deployment tries again."""
    with EmbeddedWML() as app:
        rest = Rest(app)
        model_id = rest.store(archives["lookup"])
        with no_file_beyond(1000):
            deployment_id = rest.create_deployment(model_id).json["metadata"]["id"]
            status = rest.deployment(deployment_id)["entity"]["status"]
        assert status["state"] == "failed"
        assert "no space left" in status["failure"]["errors"][0]["message"]
        assert rest.score(deployment_id, {"values": [1]}).status_code == 409
        assert state(rest.deployment(rest.create_deployment(model_id).json["metadata"]["id"])) == "ready"


class Counted:
    """A WSGI app that counts the looks at deployments."""

    def __init__(self, app) -> None:
        self._app = app
        self.looks = 0

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.looks += environ["REQUEST_METHOD"] == "GET" and path.startswith("/ml/v4/deployments/")
        return self._app(environ, start_response)


@contextlib.contextmanager
def connected(app, service, flavour):
    """One of IBM's clients that talks to the app, and waits for the service's loads."""
    pytest.importorskip("ibm_watson_machine_learning")
    pytest.importorskip("ibm_watsonx_ai")
    from tests.emulator.clients import FLAVOURS, HOSTS, close

    make, credentials = FLAVOURS[flavour]
    door = Door(app, HOSTS, work=service.wait_for_loads)
    door.open()
    try:
        client = make(**credentials)
        client.set.default_space(DEFAULT_SPACE_ID)
        yield client
        close(client)
    finally:
        door.close()


@pytest.mark.parametrize("flavour", ["wml cloud", "watsonx cloud"])
def test_ibms_client_polls_no_more_often_than_needed(rest, slow, flavour):
    """Its wait ends when the load does: it neither sleeps on nor asks again and again."""
    counted = Counted(rest.app)
    with connected(counted, rest.app, flavour) as client:
        function_id = store(rest, slow.source)
        opening = threading.Thread(target=slow.let_it_load)
        opening.start()
        made = client.deployments.create(function_id, meta_props={"name": "d", "online": {}})
        opening.join()
    assert state(made) == "ready"
    assert counted.looks == 1


@pytest.mark.slow
def test_a_load_without_an_end_is_given_up_after_the_deadline(rest, slow):
    """IBM's client would wait for ever; its deployment can be deleted."""
    with connected(rest.app, rest.app, "wml cloud") as client:
        function_id = store(rest, slow.source)
        with pytest.raises(DeploymentStuck, match="not ready within 8 seconds"), watched(client, 8.0) as watch:
            client.deployments.create(function_id, meta_props={"name": "d", "online": {}})
        pid = slow.pid()
        client.deployments.delete(watch.deployment_id)
    assert gone(pid)
    assert error_of(rest.score(watch.deployment_id, {"values": [1]}))["code"] == "deployment_does_not_exist"
