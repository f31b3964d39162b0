"""What the server tells while it runs: requests, warnings of the service, its own bugs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception.wsgi import Environ, WSGIApp

Tell = Callable[[str], None]


class Requests:
    """A WSGI app in front of another: tells method, path, status and time; never a body, a query or a field."""

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


class Doubts:
    """A WSGI app in front of another: tells each warning of the service once, and each exception that it met."""

    def __init__(self, app: WSGIApp, service: EmbeddedWML, tell: Tell) -> None:
        self._app = app
        self._service = service
        self._tell = tell
        self._told: set[str] = set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        finally:
            for warning in self._service.warnings:
                if warning not in self._told:
                    self._told.add(warning)
                    self._tell(f"warning: {warning}")
            with contextlib.suppress(IndexError):
                while self._service.crashes:
                    self._tell(crash_told(self._service.crashes.pop(0)))


def crash_told(crash: Exception) -> str:
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
