"""The time of the server, by which clients tell whether their clock is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from pytest_wml.interception.wsgi import Environ, WSGIApp


class Dated:
    """A WSGI app in front of another, that says when it answers (RFC 9110, 6.6.1)."""

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("Date", formatdate(usegmt=True))], *rest)

        return self._app(environ, started)
