"""WSGI apps in front of the service: own hosts only, the Date header, and lines about requests, warnings and bugs."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.wml.hosts import cloud_role, without_port

Tell = Callable[[str], None]


class RequestLines:
    """A WSGI middleware that logs method, path, status and time of a request; never a body, a query or a field."""

    def __init__(self, app: WSGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun = time.perf_counter()
        said = ["-"]

        def started(status: str, *rest: Any) -> Any:
            said[0] = status[:3]
            return start_response(status, *rest)

        try:
            return self._app(environ, started)
        finally:
            took = 1000 * (time.perf_counter() - begun)
            self._tell(f"{environ['REQUEST_METHOD']} {_shown(environ['PATH_INFO'])} {said[0]} {took:.1f} ms")


class WarningLines:
    """A WSGI middleware that logs each warning of the service once, and each exception of it."""

    def __init__(self, app: WSGIApp, service: EmbeddedWML, tell: Tell) -> None:
        self._app = app
        self._service = service
        self._tell = tell
        self._written: set[str] = set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        finally:
            for warning in self._service.warnings:
                if warning not in self._written:
                    self._written.add(warning)
                    self._tell(f"warning: {warning}")
            with contextlib.suppress(IndexError):
                while self._service.crashes:
                    self._tell(crash_line(self._service.crashes.pop(0)))


def crash_line(crash: Exception) -> str:
    """A line about an exception that was answered with a 500."""
    where, frame = "", crash.__traceback__
    while frame is not None:
        where = f", {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        frame = frame.tb_next
    # Not its text: it may quote what was sent.
    return f"error: a bug of pytest-wml, answered with 500: {type(crash).__name__}{where}"


def _shown(path: str) -> str:
    # A path may hold what moves a terminal's cursor.
    return path.encode("latin-1").decode("utf-8", "replace").encode("unicode_escape").decode("ascii")


class HostCheck:
    """A WSGI app in front of another: requests for another host, or from a page of another site, are refused.

    A name that a stranger controls can be made to point here (DNS rebinding), and a page of a stranger can
    send requests here from the browser on the server's machine: neither reaches the app.

    Args:
        names: the hosts that are this server, beside IBM Cloud's; without ports.
        any_address: whether every IP address may be this server's: it listens on all of this machine's.
    """

    def __init__(self, app: WSGIApp, names: Iterable[str], any_address: bool = False) -> None:
        self._app = app
        self._names = {name.lower().strip("[]") for name in names}
        self._any_address = any_address

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ["HTTP_HOST"]
        if not self._own(host):
            return _refused(start_response, "421 Misdirected Request", "foreign_host", "This server is another host.")
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin.lower() != f"https://{host.lower()}":
            return _refused(start_response, "403 Forbidden", "foreign_origin", "Pages of other sites are not served.")
        return self._app(environ, start_response)

    def _own(self, host: str) -> bool:
        name = without_port(host).strip("[]")
        if name in self._names or cloud_role(host) is not None:
            return True
        return self._any_address and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refused(start_response: Callable[..., Any], status: str, code: str, message: str) -> Iterable[bytes]:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    start_response(status, [("Content-Type", "application/json")])
    return [body]


class DateHeader:
    """A WSGI app in front of another, that says when it answers (RFC 9110, 6.6.1)."""

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("Date", formatdate(usegmt=True))], *rest)

        return self._app(environ, started)
