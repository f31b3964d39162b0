"""Sends requests to the verified service, embedded or live, through its WSGI app."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from pytest_wml.config.credentials import Credentials
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.request_log import RequestLog
from pytest_wml.interception.wsgi import WSGIApp, body_of
from pytest_wml.redaction.known import Secrets
from pytest_wml.tools.doctor.endpoints import Endpoints
from pytest_wml.tools.doctor.service_client import token_request
from pytest_wml.wml.embedded import HEADER
from pytest_wml.wml.hosts import Role

_RENEWAL = 1200.0
"""Seconds until a token is renewed; tokens are valid for an hour or longer."""
_WITHOUT_A_TOKEN, _NO_JWT = "without a token", "this-is-no-token"


class NoToken(WMLTestError):
    """The service does not issue a token for the credentials."""


class CutOff(WMLTestError):
    """An answer is incomplete."""


class ServiceReply(NamedTuple):
    """A response of the service, unchanged."""

    status: int
    content_type: str
    body: bytes


class TargetService:
    """The verified service; requests are sent one after the other.

    Args:
        app: WSGI app of the service.
        endpoints: hosts of the service.
        credentials: credentials of the service.
        secrets: receives the tokens.
        wait: waits for the service's background work, at most the given seconds; None waits for time to pass.
    """

    def __init__(
        self,
        app: WSGIApp,
        endpoints: Endpoints,
        credentials: Credentials,
        secrets: Secrets,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._app = RequestLog(app)
        self._credentials = credentials
        self._secrets = secrets
        self.wait = wait
        self._token, self._token_time = "", 0.0
        self.endpoints = endpoints
        self.space_id = credentials.space_id
        self.requests = 0
        """Number of sent requests, including logins."""
        self.is_embedded = False
        """Whether any answer came from an embedded service."""

    def host(self, role: Role, path: str) -> str:
        """The host for a role; Cloud Pak for Data has one host for all roles."""
        if role is Role.CPD:
            role = Role.ML if path.startswith("/ml/") else Role.PLATFORM
        return {Role.ML: self.endpoints.ml, Role.PLATFORM: self.endpoints.platform, Role.IAM: self.endpoints.iam}[role]

    def ask(
        self,
        method: str,
        role: Role,
        path: str,
        query: str = "",
        body: bytes | Path = b"",
        content_type: str = "",
        flaw: str = "",
    ) -> ServiceReply:
        """Send one request.

        Args:
            method: HTTP method.
            role: role of the host.
            path: path of the request.
            query: query of the request.
            body: body as bytes, or the path of a file with the body.
            content_type: content type of the body.
            flaw: recorded flaw of the request's token; empty for a valid token.

        Raises:
            NoToken: the service does not issue a token.
            WMLTestError: the service does not answer.
        """
        token = "" if flaw == _WITHOUT_A_TOKEN else _NO_JWT if flaw else self._valid_token()
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        return self._send(method, self.host(role, path), path, query, body, content_type, headers)

    def _valid_token(self) -> str:
        credentials = self._credentials
        if credentials.token and not credentials.apikey and not credentials.password:
            return credentials.token
        if not self._token or time.monotonic() - self._token_time > _RENEWAL:
            self._token, self._token_time = self._new_token(), time.monotonic()
            self._secrets.add(self._token, *self._token.split("."))
        return self._token

    def _new_token(self) -> str:
        body, kind = token_request(self.endpoints, self._credentials)
        reply = self._send("POST", self.endpoints.iam, self.endpoints.token_path, "", body, kind, {})
        try:
            answer = json.loads(reply.body)
            token = answer.get("access_token") or answer.get("token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if reply.status != 200 or not isinstance(token, str):
            raise NoToken(
                "The service does not issue a token for these credentials.",
                asked=f"POST https://{self.endpoints.iam}{self.endpoints.token_path}",
                status=reply.status,
                fix="run pytest-wml doctor to find the cause",
            )
        return token

    def _send(
        self, method: str, host: str, path: str, query: str, body: bytes | Path, kind: str, headers: dict[str, str]
    ) -> ServiceReply:
        self.requests += 1
        started: list[Any] = []

        def start(status: str, answered: list[tuple[str, str]], *_: Any) -> None:
            started[:] = [int(status.split(" ", 1)[0]), {name.lower(): value for name, value in answered}]

        stream = body.open("rb") if isinstance(body, Path) else io.BytesIO(body)
        length = body.stat().st_size if isinstance(body, Path) else len(body)
        with stream:
            environ = {**_environ(method, host, path, query), **headers, "wsgi.input": stream}
            if length or method in ("POST", "PUT", "PATCH"):
                environ["CONTENT_LENGTH"] = str(length)
            if kind:
                environ["CONTENT_TYPE"] = kind
            try:
                answer = body_of(self._app(environ, start))
            except OSError as error:
                raise CutOff(
                    f"The answer of {host} was cut off.",
                    request=f"{method} {path}",
                    reason=type(error).__name__,
                    fix="check the network and the proxy, and try again",
                ) from None
        self._raise_failures()
        status, answered = started
        self.is_embedded |= HEADER.lower() in answered
        return ServiceReply(status, answered.get("content-type", ""), answer)

    def _raise_failures(self) -> None:
        """Raise the error of a request that did not reach the service."""
        for failure in self._app.take_failures():
            raise failure.error


def _environ(method: str, host: str, path: str, query: str) -> dict[str, Any]:
    name, _, port = host.rpartition(":")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": quote(path) + (f"?{query}" if query else ""),
        "SERVER_NAME": name if port.isdigit() else host,
        "SERVER_PORT": port if port.isdigit() else "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "HTTP_ACCEPT": "application/json",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
