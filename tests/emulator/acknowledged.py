"""What a client knows of a service that may be killed: what it was told, and what it was not told any more."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

Answer = tuple[int, Any]


class Address(NamedTuple):
    """Where a service listens on this machine, and the file of the CA that it is known by."""

    port: int
    ca: str


class Killed(Exception):
    """The service ended before it answered in full."""


class Wire:
    """One keep-alive connection.

    Args:
        address: of the service.
        token: what requests carry.
        sending: called before each request.
    """

    def __init__(self, address: Address, token: str | None = None, sending: Callable[[], None] = lambda: None) -> None:
        self._sending = sending
        self._http = http.client.HTTPSConnection(
            "127.0.0.1", address.port, timeout=30, context=ssl.create_default_context(cafile=address.ca)
        )
        self.token = token

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """The status and the body, JSON parsed.

        Raises:
            Killed: there is no whole answer.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        target = f"{path}?{urlencode({'version': '2020-08-01', **query})}"
        self._sending()
        try:
            self._http.request(method, target, data, headers)
            answer = self._http.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Killed from problem
        assert answer.status not in (500, 507), content
        parsed = answer.headers.get_content_type() == "application/json" and content
        return answer.status, json.loads(content) if parsed else content

    def space(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        return self.send(method, path, body, space_id=DEFAULT_SPACE_ID, **query)

    def login(self) -> str:
        _, answer = self.send("POST", "/icp4d-api/v1/authorize", {"username": "me", "api_key": "key"})
        return answer["token"]

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *problem: object) -> None:
        self._http.close()


@dataclass
class Thing:
    """Something that the service was asked for, and the states that it may be in by what was acknowledged.

    A state is None where the thing is not there, else what `seen` of its kind reads.
    """

    collection: str
    name: str
    id: str = ""
    possible: set[Any] = field(default_factory=lambda: {None})

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.id}"

    def ask(self, wire: Wire, state: Any, *request: Any, **query: str) -> Any:
        """Send what brings the thing into a state; it is known to be in it when the answer is a success."""
        self.possible.add(state)
        status, answer = wire.space(*request, **query)
        assert status in (200, 201, 202, 204), (request[:2], status, answer)
        self.possible = {state}
        return answer

    def create(self, wire: Wire, state: Any, draft: dict[str, Any]) -> None:
        answer = self.ask(wire, state, "POST", self.collection, {"name": self.name, **draft})
        self.id = answer["metadata"]["id"]

    def delete(self, wire: Wire, **query: str) -> None:
        self.ask(wire, None, "DELETE", self.path, **query)

    def finish(self, wire: Wire) -> None:
        """Look at a job until it is done; each look may be the one that ends it, also where no answer comes."""
        while self.possible != {"done"}:
            self.possible.add("done")
            status, document = wire.space("GET", self.path)
            assert status == 200, document
            self.possible = {_progress(document)}

    def check(self, wire: Wire) -> None:
        """Fail unless the service has it in one of the states; which one is known from now on."""
        if not self.id:
            self.id = next((found["metadata"]["id"] for found in listed(wire, self) if self._is(found)), "")
        if "going" in self.possible:
            self.possible.add("done")  # a look at a job, also in a list, moves it on
        state = SEEN[self.collection](wire, self) if self.id else None
        assert state in self.possible, f"{self.collection} {self.name}: {state!r} is none of {self.possible!r}"
        self.possible = {state}

    def _is(self, document: dict[str, Any]) -> bool:
        return self.name in (document["metadata"].get("name"), document["entity"].get("name"))


def listed(wire: Wire, thing: Thing) -> list[dict[str, Any]]:
    """All of a collection, page by page; each page must be whole."""
    found: list[dict[str, Any]] = []
    query = {"limit": "200"}
    while True:
        status, page = wire.space("GET", thing.collection, **query)
        assert status == 200, page
        found += page["resources"]
        if "next" not in page:
            return found
        query["start"] = page["next"]["href"].partition("start=")[2].partition("&")[0]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(wire: Wire, thing: Thing, **query: str) -> dict[str, Any] | None:
    status, document = wire.space("GET", thing.path, **query)
    assert status in (200, 404), document
    return document if status == 200 else None


def _asset(content: str) -> Callable[[Wire, Thing], Any]:
    def seen(wire: Wire, thing: Thing) -> Any:
        """The description, the digest of the content, and those of its revisions' contents."""
        document = _read(wire, thing)
        if document is None:
            return None
        _, revisions = wire.space("GET", f"{thing.path}/revisions")
        held = [_content(wire, thing, rev=str(rev + 1)) for rev in range(len(revisions["resources"]))]
        return document["metadata"].get("description"), _content(wire, thing), tuple(held)

    def _content(wire: Wire, thing: Thing, **query: str) -> str | None:
        status, body = wire.space("GET", f"{thing.path}/{content}", **query)
        assert status in (200, 404), body
        return digest(body) if status == 200 else None

    return seen


def _deployment(wire: Wire, thing: Thing) -> Any:
    while (document := _read(wire, thing)) and document["entity"]["status"]["state"] == "initializing":
        pass
    if document is None:
        return None
    assert document["entity"]["status"]["state"] in ("ready", "failed")
    failures = document["entity"]["status"].get("failure", {}).get("errors", [])
    assert "lost" not in str(failures), failures
    return document["entity"]["asset"]["id"]


def _job(wire: Wire, thing: Thing) -> Any:
    document = _read(wire, thing)
    return None if document is None else _progress(document)


def _progress(document: dict[str, Any]) -> str:
    scoring = document["entity"]["scoring"]
    assert ("predictions" in scoring) == (scoring["status"]["state"] == "completed")
    return "done" if scoring["status"]["state"] == "completed" else "going"


def _space(wire: Wire, thing: Thing) -> Any:
    document = _read(wire, thing)
    return document and document["entity"]["description"]


SEEN: dict[str, Callable[[Wire, Thing], Any]] = {
    "/v2/spaces": _space,
    "/ml/v4/models": _asset("download"),
    "/ml/v4/functions": _asset("code"),
    "/ml/v4/deployments": _deployment,
    "/ml/v4/deployment_jobs": _job,
}
"""By collection, the state that a thing of it is in."""
