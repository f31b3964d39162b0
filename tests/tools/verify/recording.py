"""Recordings made on the spot: a journey through the embedded service, as IBM Cloud or as a Cloud Pak for Data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_wml.config.credentials import OFFLINE, Credentials
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception.wsgi import WSGIApp
from pytest_wml.redaction.known import Secrets
from pytest_wml.replay.cassette.file import Cassette, dump, write
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.replay.recorder import Recorder
from pytest_wml.tools.doctor.endpoints import endpoints
from pytest_wml.tools.verify.service import TargetService
from pytest_wml.wml.hosts import Hosts, Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

CLOUD = OFFLINE
CPD = Credentials(url="https://cpd.example.org", username="me", apikey="k", space_id=DEFAULT_SPACE_ID)
SPEC, TYPE, VERSION = {"name": "runtime-24.1-py3.11"}, "tensorflow_2.14", "2024-01-01"


class Traveller:
    """Asks a service, as whoever has these credentials."""

    def __init__(self, app: WSGIApp, given: Credentials = CLOUD, service: EmbeddedWML | None = None) -> None:
        self._side = TargetService(app, endpoints(given.url), given, Secrets())
        self._service = service
        self._cloud = given.cpd_host is None

    def ask(self, method: str, path: str, body: object = None, flaw: str = "", **query: object) -> Any:
        """The JSON of the answer; None where there is none."""
        role = Role.CPD if not self._cloud else Role.ML if path.startswith("/ml/") else Role.PLATFORM
        sent = body if isinstance(body, (bytes, Path)) else b"" if body is None else json.dumps(body).encode()
        kind = "application/json" if not isinstance(body, (bytes, Path)) else "application/octet-stream"
        asked = "&".join(f"{name}={value}" for name, value in {"version": VERSION, **query}.items())
        reply = self._side.ask(method, role, path, asked, sent, kind, flaw)
        return json.loads(reply.body) if reply.body else None

    def model(self, name: str, space: str = DEFAULT_SPACE_ID, **members: object) -> str:
        """The id of a new model without content."""
        draft = {"name": name, "type": TYPE, "software_spec": SPEC, "space_id": space, **members}
        return self.ask("POST", "/ml/v4/models", draft)["metadata"]["id"]

    def deployed(self, archive: Path, **members: object) -> str:
        """The id of a new deployment of an archive."""
        model = self.model("tiny")
        space = {"space_id": DEFAULT_SPACE_ID}
        self.ask("PUT", f"/ml/v4/models/{model}/content", archive, content_format="native", **space)
        draft = {"name": "tiny", "asset": {"id": model}, **space, **(members or {"online": {}})}
        made = self.ask("POST", "/ml/v4/deployments", draft)["metadata"]["id"]
        if self._service:
            self._service.wait_for_loads(60)
        self.ask("GET", f"/ml/v4/deployments/{made}", **space)
        return made


def recorded(
    journey: Callable[[Traveller], None],
    given: Credentials = CLOUD,
    before: Callable[[Traveller], None] | None = None,
    **facts: object,
) -> Cassette:
    """What a run with --wml-record writes of such a journey.

    Args:
        before: what somebody else did at the service before.
        facts: of the metadata.
    """
    with EmbeddedWML(spaces=[DEFAULT_SPACE_ID], allow_pickle=True, any_space=True) as service:
        if before:
            before(Traveller(service, given))
        recorder = Recorder(service, Hosts.of([given.cpd_host] if given.cpd_host else []), Secrets())
        journey(Traveller(recorder, given, service))
        (tape,) = recorder.tapes.values()
    told = {"recorded_from": "embedded", "recorded_at": "2026-01-02", **facts}
    return Cassette("journey", told, merged([normalised(tape, "journey", {})]))


def written(folder: Path, cassette: Cassette) -> str:
    """The file of a cassette."""
    path = folder / f"{cassette.name}.yaml"
    write(path, dump(cassette))
    return str(path)
