"""The service as plain REST, without any of IBM's clients."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

CPD = "https://cpd-wml.apps.example.com"
SPEC = {"name": "runtime-24.1-py3.11"}
TYPE = "tensorflow_2.14"


class Rest:
    """The service as plain REST with a bearer token, in the space that is always there."""

    def __init__(self, app: EmbeddedWML, host: str = CPD) -> None:
        self.app = app
        self.host = host
        self.http = Client(app)
        login = self.send("POST", "/icp4d-api/v1/authorize", {"username": "me", "api_key": "key"}, token=None)
        self.token: str | None = login.json["token"]

    def send(self, method: str, path: str, body: object = None, token: str | None = "", **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        token = self.token if token == "" else token
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = json.dumps(body) if body is not None and not isinstance(body, bytes) else body
        query = {**({} if "?" in path else {"version": "2020-08-01"}), **more.pop("query", {})}
        base_url = more.pop("host", self.host)
        return self.http.open(
            path,
            method=method,
            data=data,
            headers=headers,
            base_url=base_url,
            query_string=query or None,
            buffered=True,
            **more,
        )

    def space(self, method: str, path: str, body: object = None, **query: str) -> TestResponse:
        """A request in the space that is always there."""
        return self.send(method, path, body, query={"space_id": DEFAULT_SPACE_ID, **query})

    def create_model(self, **members: object) -> TestResponse:
        draft = {"name": "model", "type": TYPE, "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID}
        return self.send("POST", "/ml/v4/models", {**draft, **members})

    def upload(self, model_id: str, content: bytes) -> TestResponse:
        return self.space("PUT", f"/ml/v4/models/{model_id}/content", content, content_format="native")

    def store(self, archive: Path | bytes, **members: object) -> str:
        """Store a model; returns its id."""
        created = self.create_model(**members)
        assert created.status_code == 201, created.text
        model_id = created.json["metadata"]["id"]
        content = archive if isinstance(archive, bytes) else archive.read_bytes()
        assert self.upload(model_id, content).status_code == 201
        return model_id

    def create_deployment(self, model_id: str, **members: object) -> TestResponse:
        draft = {"name": "deployment", "online": {}, "asset": {"id": model_id}, "space_id": DEFAULT_SPACE_ID}
        return self.send("POST", "/ml/v4/deployments", {**draft, **members})

    def deploy(self, archive: Path | bytes, model_type: str = TYPE, **members: object) -> str:
        """Store and deploy a model, wait until it is settled; returns the deployment's id."""
        created = self.create_deployment(self.store(archive, type=model_type), **members)
        assert created.status_code == 202, created.text
        deployment_id = created.json["metadata"]["id"]
        self.deployment(deployment_id)
        return deployment_id

    def look(self, deployment_id: str) -> dict[str, Any]:
        """A deployment as it is."""
        read = self.space("GET", f"/ml/v4/deployments/{deployment_id}")
        assert read.status_code == 200, read.text
        return read.json

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """A deployment once its model is loaded, or cannot be."""
        while (found := self.look(deployment_id))["entity"]["status"]["state"] in ("initializing", "updating"):
            self.app.wait_for_loads(60)
        return found

    def score(self, deployment_id: str, *elements: object) -> TestResponse:
        body = {"input_data": list(elements)}
        return self.send("POST", f"/ml/v4/deployments/{deployment_id}/predictions", body)

    def ready(self, archive: Path | bytes, model_type: str = TYPE) -> str:
        """Store and deploy a model that can be served; returns the deployment's id."""
        deployment_id = self.deploy(archive, model_type)
        status = self.deployment(deployment_id)["entity"]["status"]
        assert status["state"] == "ready", status["failure"]
        return deployment_id

    def failure(self, archive: Path | bytes, model_type: str = TYPE) -> str:
        """Store and deploy a model that cannot be served; returns the reason."""
        status = self.deployment(self.deploy(archive, model_type))["entity"]["status"]
        assert status["state"] == "failed"
        assert status["failure"]["errors"][0]["code"] == "load_model_failure"
        return status["failure"]["errors"][0]["message"]


def predictions_of(answer: TestResponse) -> list[dict[str, Any]]:
    """The predictions of a scoring that was answered."""
    assert answer.status_code == 200, answer.text
    return answer.json["predictions"]


def refusal_of(answer: TestResponse) -> str:
    """Why the input data of a scoring was refused."""
    assert answer.status_code == 400, answer.text
    error = error_of(answer)
    assert error["code"] == "invalid_input_data"
    return error["message"]


def error_of(answer: TestResponse) -> dict[str, Any]:
    """The first error of a refusal, after checking that it has the form of the service's."""
    assert answer.content_type == "application/json"
    assert answer.json["trace"]
    return answer.json["errors"][0]


def tarred(**files: bytes) -> bytes:
    """A tar.gz with these files; a double underscore in a name is its dot."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    """A zip with these files; a double underscore in a name is its dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()
