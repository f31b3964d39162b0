"""The app itself: what it costs and what it leaves behind."""

from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import Rest

HEAVY = ("tensorflow", "keras", "numpy", "requests", "httpx", "ibm_watson_machine_learning", "vcr")


def test_a_service_is_up_without_anything_heavy():
    """TensorFlow and numpy come with the first model that is loaded."""
    script = (
        "import sys; from pytest_wml.emulator.app import EmbeddedWML; EmbeddedWML().close();"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_files_are_in_the_folder_that_was_given_until_the_end(tmp_path):
    """Closing removes what the service made, and nothing else."""
    (tmp_path / "mine").touch()
    with EmbeddedWML(folder=tmp_path) as app:
        rest = Rest(app)
        rest.store(b"content")
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


class Zeros(io.RawIOBase):
    """A long body that is nowhere as a whole."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


def test_an_upload_is_never_in_memory_as_a_whole(own):
    """It goes to the disk piece by piece."""
    model_id = own.create_model().json["metadata"]["id"]
    size = 64 << 20
    tracemalloc.start()
    try:
        answer = own.http.put(
            f"/ml/v4/models/{model_id}/content",
            base_url=own.host,
            query_string={"space_id": DEFAULT_SPACE_ID, "version": "2020-08-01"},
            headers={"Authorization": f"Bearer {own.token}"},
            input_stream=io.BytesIO(),
            environ_overrides={"wsgi.input": Zeros(size), "CONTENT_LENGTH": str(size)},
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 201
    assert peak < size / 8


def test_patches_of_many_threads_all_count(own):
    """Each adds a member of its own, and none is lost."""
    deployment_id = own.create_deployment(own.store(b"content")).json["metadata"]["id"]

    def patch(index: int) -> int:
        operation = {"op": "add", "path": f"/custom/member_{index}", "value": index}
        return own.space("PATCH", f"/ml/v4/deployments/{deployment_id}", [operation]).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(patch, range(64))) == {200}
    custom = own.deployment(deployment_id)["entity"]["custom"]
    assert custom == {f"member_{index}": index for index in range(64)}


def test_many_threads_upload_the_same_model(own, archives):
    """The same bytes come and go, and whoever deploys them finds them whole."""
    content = archives["lookup"].read_bytes()

    def live(_: int) -> int:
        deployment_id = own.deploy(content)
        status = own.score(deployment_id, {"values": [1]}).status_code
        model_id = own.deployment(deployment_id)["entity"]["asset"]["id"]
        own.space("DELETE", f"/ml/v4/deployments/{deployment_id}")
        own.space("DELETE", f"/ml/v4/models/{model_id}")
        return status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(live, range(48))) == {200}


def test_every_answer_says_that_it_is_embedded(rest):
    """So that nobody takes it for IBM's, whatever address it is reached by; refusals too."""
    for answer in (
        rest.space("GET", "/ml/v4/models"),
        rest.send("GET", "/no/such/path"),
        rest.send("GET", "/x", None, None),
    ):
        assert answer.headers["X-Pytest-WML"].startswith("embedded")
