"""The other side: a service that is asked through the WSGI app that leads to it, embedded or live."""

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
from pytest_wml.tools.doctor.asking import token_request
from pytest_wml.tools.doctor.places import Places
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.served_by import HEADER

_RENEWED = 1200.0
"""Seconds: tokens live for an hour or longer."""
_WITHOUT_A_TOKEN, _NO_JWT = "without a token", "this-is-no-token"


class NoToken(WMLTestError):
    """The service gives no token for the credentials."""


class CutOff(WMLTestError):
    """An answer ended before it was complete."""


class Reply(NamedTuple):
    """What came back, as it came."""

    status: int
    content_type: str
    body: bytes


class Side:
    """Asks a service, one request after the other.

    Args:
        app: leads to it.
        places: where its parts are.
        given: the credentials.
        secrets: learns the tokens.
        wait: for the side's own work, at most so many seconds; None where time has to pass.
    """

    def __init__(
        self,
        app: WSGIApp,
        places: Places,
        given: Credentials,
        secrets: Secrets,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._app = RequestLog(app)
        self._given = given
        self._secrets = secrets
        self.wait = wait
        self._token, self._got = "", 0.0
        self.places = places
        self.space_id = given.space_id
        self.requests = 0
        """How many were sent so far, logins too."""
        self.is_embedded = False
        """Whether any answer came from an embedded service, whatever it was asked as."""

    def host(self, role: Role, path: str) -> str:
        """The host that answers for a role; a recording of a Cloud Pak for Data has one for all."""
        if role is Role.CPD:
            role = Role.ML if path.startswith("/ml/") else Role.PLATFORM
        return {Role.ML: self.places.ml, Role.PLATFORM: self.places.platform, Role.IAM: self.places.iam}[role]

    def ask(
        self,
        method: str,
        role: Role,
        path: str,
        query: str = "",
        body: bytes | Path = b"",
        content_type: str = "",
        flaw: str = "",
    ) -> Reply:
        """Send one request.

        Args:
            body: its bytes, or the file that holds them.
            flaw: what is wrong with its token, as a recording tells it; empty for nothing.

        Raises:
            NoToken: the service gives none.
            WMLTestError: it did not answer.
        """
        word = "" if flaw == _WITHOUT_A_TOKEN else _NO_JWT if flaw else self._valid_token()
        headers = {"HTTP_AUTHORIZATION": f"Bearer {word}"} if word else {}
        return self._ask(method, self.host(role, path), path, query, body, content_type, headers)

    def _valid_token(self) -> str:
        given = self._given
        if given.token and not given.apikey and not given.password:
            return given.token
        if not self._token or time.monotonic() - self._got > _RENEWED:
            self._token, self._got = self._new_token(), time.monotonic()
            self._secrets.add(self._token, *self._token.split("."))
        return self._token

    def _new_token(self) -> str:
        body, kind = token_request(self.places, self._given)
        reply = self._ask("POST", self.places.iam, self.places.token_path, "", body, kind, {})
        try:
            answer = json.loads(reply.body)
            found = answer.get("access_token") or answer.get("token")
        except (ValueError, AttributeError, RecursionError):
            found = None
        if reply.status != 200 or not isinstance(found, str):
            raise NoToken(
                "The service gives no token for these credentials.",
                asked=f"POST https://{self.places.iam}{self.places.token_path}",
                status=reply.status,
                fix="pytest-wml doctor says what stands in the way",
            )
        return found

    def _ask(
        self, method: str, host: str, path: str, query: str, body: bytes | Path, kind: str, headers: dict[str, str]
    ) -> Reply:
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
        self._raise_what_failed()
        status, answered = started
        self.is_embedded |= HEADER.lower() in answered
        return Reply(status, answered.get("content-type", ""), answer)

    def _raise_what_failed(self) -> None:
        """A request that did not reach the service has no answer of its own."""
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
