"""What is asked of the service: tokens and documents, nothing that makes, changes or deletes anything."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pytest_wml.config.credentials import Credentials
from pytest_wml.tools.doctor.places import Places
from pytest_wml.tools.doctor.reaching import Way, proxy_for, within
from pytest_wml.wml.embedded import HEADER

_MOST = 4 << 20
_JSON = {"Accept": "application/json"}
_VERSION = "2021-06-21"
"""A date that every release of the API is newer than."""


class Answer(NamedTuple):
    """What came back.

    Args:
        status: 0 where nothing did.
        body: the JSON; None for anything else.
        skew: seconds that this machine's clock is ahead of the server's; None where it does not tell.
        problem: why nothing came back.
        embedded: whether it is pytest-wml's own service that answered.
    """

    status: int
    body: Any = None
    skew: float | None = None
    problem: str = ""
    embedded: bool = False

    @property
    def reason(self) -> str:
        """What the service says of a refusal, as short as it can be said."""
        body = self.body if isinstance(self.body, dict) else {}
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = first.get("message") or body.get("errorMessage") or body.get("message") or ""
        return self.problem or f"{self.status} {str(words)[:200]}".strip()

    def get(self, *names: str | int) -> Any:
        """What is found by these names one after the other; None where the document has no such thing."""
        found = self.body
        for name in names:
            try:
                found = found[name]
            except (KeyError, IndexError, TypeError):
                return None
        return found


class Service:
    """Asks, one request a connection, each within its time.

    Args:
        places: where the parts of the service are.
        trust: which certificates are believed.
        seconds: the longest that one step may take.
    """

    def __init__(self, places: Places, trust: ssl.SSLContext, seconds: float) -> None:
        self.places = places
        self._trust = trust
        self._seconds = seconds
        self._token = ""

    def way(self, place: str) -> Way:
        """How to get to one of the places."""
        host, _, port = place.rpartition(":")
        if not host or not port.isdigit():
            host, port = place, "443"
        return Way(host.strip("[]"), int(port), proxy_for(place), self._trust, self._seconds)

    @property
    def logged_in(self) -> bool:
        """Whether there is a token to ask with."""
        return bool(self._token)

    def log_in(self, token: str) -> None:
        """Ask with this token from now on."""
        self._token = token

    def token(self, given: Credentials) -> Answer:
        """Ask for a token, as IBM's clients do; with a key where there is one."""
        body, kind = token_request(self.places, given)
        return self._ask(self.places.iam, "POST", self.places.token_path, body, {"Content-Type": kind, **_JSON})

    def space(self, space_id: str) -> Answer:
        """The deployment space."""
        return self._read(self.places.platform, f"/v2/spaces/{quote(space_id, safe='')}")

    def instance(self, instance_id: str, space_id: str) -> Answer:
        """The instance of the service that computes for a space: its plan and what of it is used."""
        return self._read(self.places.ml, f"/ml/v4/instances/{quote(instance_id, safe='')}", space_id=space_id)

    def specification(self, name: str, space_id: str) -> Answer:
        """The software specifications of a name: one, or none."""
        return self._read(self.places.platform, "/v2/software_specifications", space_id=space_id, name=name)

    def _read(self, place: str, path: str, **query: str) -> Answer:
        asked = urlencode({"version": _VERSION, **{name: value for name, value in query.items() if value}})
        headers = {"Authorization": f"Bearer {self._token}", **_JSON}
        return self._ask(place, "GET", f"{path}?{asked}" if query else path, None, headers)

    def _ask(self, place: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            return within(3 * self._seconds, lambda: _exchange(self.way(place), method, path, body, headers))
        except TimeoutError:
            return Answer(0, problem=f"{place} did not answer in time")
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, problem=f"{place} did not answer: {getattr(error, 'strerror', None) or error}")


def token_request(places: Places, given: Credentials) -> tuple[bytes, str]:
    """The body that a token is asked for with at `places.token_path`, and its content type."""
    if not places.cloud:
        secret = {"api_key": given.apikey} if given.apikey else {"password": given.password}
        return json.dumps({"username": given.username, **secret}).encode(), "application/json"
    if places.token_path.startswith("/api/"):
        return json.dumps({"apikey": given.apikey}).encode(), "application/json"
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": given.apikey}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _exchange(way: Way, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    connection = way.connection()
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        skew = _skew(response.headers.get("Date"), time.time())
        embedded = HEADER in response.headers
        text = response.read(_MOST)
        if response.length and len(text) < _MOST:
            raise HTTPException("the answer was cut off")
    finally:
        connection.close()
    try:
        return Answer(response.status, json.loads(text), skew, embedded=embedded)
    except (ValueError, RecursionError):
        return Answer(response.status, None, skew, embedded=embedded)


def _skew(date: str | None, now: float) -> float | None:
    if not date:
        return None
    try:
        return now - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
