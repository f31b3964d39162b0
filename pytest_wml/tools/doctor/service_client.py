"""Requests tokens and documents from the service; nothing is created, changed or deleted."""

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
from pytest_wml.tools.doctor.connection import HostRoute, proxy_for, within
from pytest_wml.tools.doctor.endpoints import Endpoints
from pytest_wml.wml.embedded import HEADER

_MOST = 4 << 20
_JSON = {"Accept": "application/json"}
_VERSION = "2021-06-21"
"""An API version that every release supports."""


class ServiceAnswer(NamedTuple):
    """An answer of the service.

    Args:
        status: HTTP status; 0 if there was no answer.
        body: JSON value of the body; None if it is not JSON.
        skew: seconds by which this machine's clock is ahead of the server's; None if the server sends no date.
        problem: reason why there was no answer.
        embedded: whether the answer is from pytest-wml's embedded service.
    """

    status: int
    body: Any = None
    skew: float | None = None
    problem: str = ""
    embedded: bool = False

    @property
    def reason(self) -> str:
        """Status and message of a refusal, in short form."""
        body = self.body if isinstance(self.body, dict) else {}
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = first.get("message") or body.get("errorMessage") or body.get("message") or ""
        return self.problem or f"{self.status} {str(words)[:200]}".strip()

    def get(self, *names: str | int) -> Any:
        """The value at a path of names and positions; None if the document does not contain it."""
        found = self.body
        for name in names:
            try:
                found = found[name]
            except (KeyError, IndexError, TypeError):
                return None
        return found


class ServiceClient:
    """Sends requests to the service, each with its own connection and time limit.

    Args:
        endpoints: hosts of the service.
        trust: the trusted certificates.
        seconds: time limit of one step.
    """

    def __init__(self, endpoints: Endpoints, trust: ssl.SSLContext, seconds: float) -> None:
        self.endpoints = endpoints
        self._trust = trust
        self._seconds = seconds
        self._token = ""

    def route(self, host: str) -> HostRoute:
        """The route to a host."""
        name, _, port = host.rpartition(":")
        if not name or not port.isdigit():
            name, port = host, "443"
        return HostRoute(name.strip("[]"), int(port), proxy_for(host), self._trust, self._seconds)

    @property
    def logged_in(self) -> bool:
        """Whether a token is set."""
        return bool(self._token)

    def log_in(self, token: str) -> None:
        """Set the token for all further requests."""
        self._token = token

    def token(self, given: Credentials) -> ServiceAnswer:
        """Request a token like IBM's clients; with an API key if there is one."""
        body, kind = token_request(self.endpoints, given)
        return self._send(self.endpoints.iam, "POST", self.endpoints.token_path, body, {"Content-Type": kind, **_JSON})

    def space(self, space_id: str) -> ServiceAnswer:
        """Read the deployment space."""
        return self._read(self.endpoints.platform, f"/v2/spaces/{quote(space_id, safe='')}")

    def instance(self, instance_id: str, space_id: str) -> ServiceAnswer:
        """Read the service instance of a space: its plan and its usage."""
        return self._read(self.endpoints.ml, f"/ml/v4/instances/{quote(instance_id, safe='')}", space_id=space_id)

    def specification(self, name: str, space_id: str) -> ServiceAnswer:
        """Read the software specifications with a name: one, or none."""
        return self._read(self.endpoints.platform, "/v2/software_specifications", space_id=space_id, name=name)

    def _read(self, host: str, path: str, **query: str) -> ServiceAnswer:
        encoded = urlencode({"version": _VERSION, **{name: value for name, value in query.items() if value}})
        headers = {"Authorization": f"Bearer {self._token}", **_JSON}
        return self._send(host, "GET", f"{path}?{encoded}" if query else path, None, headers)

    def _send(self, host: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> ServiceAnswer:
        try:
            return within(3 * self._seconds, lambda: _exchange(self.route(host), method, path, body, headers))
        except TimeoutError:
            return ServiceAnswer(0, problem=f"{host} did not answer in time")
        except (OSError, HTTPException, ValueError) as error:
            return ServiceAnswer(0, problem=f"{host} did not answer: {getattr(error, 'strerror', None) or error}")


def token_request(endpoints: Endpoints, given: Credentials) -> tuple[bytes, str]:
    """Body and content type of a token request to `endpoints.token_path`."""
    if not endpoints.cloud:
        secret = {"api_key": given.apikey} if given.apikey else {"password": given.password}
        return json.dumps({"username": given.username, **secret}).encode(), "application/json"
    if endpoints.token_path.startswith("/api/"):
        return json.dumps({"apikey": given.apikey}).encode(), "application/json"
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": given.apikey}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _exchange(
    route: HostRoute, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> ServiceAnswer:
    connection = route.connection()
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
        return ServiceAnswer(response.status, json.loads(text), skew, embedded=embedded)
    except (ValueError, RecursionError):
        return ServiceAnswer(response.status, None, skew, embedded=embedded)


def _skew(date: str | None, now: float) -> float | None:
    if not date:
        return None
    try:
        return now - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
