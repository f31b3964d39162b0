"""What the apps of all modes share: reading a request, sending an answer."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from pytest_wml.interception.wsgi import Environ, WSGIApp, body_of

MISSED = 422
"""What is answered where nothing can be: no client of IBM's retries it, and no probe takes it for a yes."""

UNANSWERED = "pytest_wml.unanswered"
"""Where the gateway leaves in the WSGI environ that the service did not answer: nobody knows what it did."""

_IN_MEMORY = 1 << 20


def path_of(environ: Environ) -> str:
    """The request's path as text."""
    return str(environ["PATH_INFO"]).encode("latin-1").decode("utf-8", "replace")


def spooled(environ: Environ) -> BinaryIO:
    """The request's body as a file that can be read twice; large ones lie on disk."""
    copy = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    stream = environ["wsgi.input"]
    while block := stream.read(1 << 16):
        copy.write(block)
    copy.seek(0)
    return copy


def is_upload(method: str, path: str) -> bool:
    """Whether a request carries a model's or a function's archive."""
    return method == "PUT" and path.rstrip("/").endswith(("/content", "/code"))


def is_download(method: str, path: str, status: int) -> bool:
    """Whether an answer carries a model's or a function's archive."""
    return method == "GET" and status == 200 and path.rstrip("/").endswith(("/download", "/code"))


def send(
    start_response: Callable[..., Any], status: int, body: bytes, content_type: str = "application/json"
) -> Iterable[bytes]:
    """Answer with a body of known length."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    headers = [("Content-Length", str(len(body)))] if status not in (204, 304) else []
    if content_type and body:
        headers.append(("Content-Type", content_type))
    start_response(f"{status} {reason}", headers)
    return [body] if body else []


def send_json(start_response: Callable[..., Any], status: int, value: Any) -> Iterable[bytes]:
    """Answer with a JSON value."""
    return send(start_response, status, json.dumps(value).encode("utf-8"))


def send_error(start_response: Callable[..., Any], status: int, code: str, message: str) -> Iterable[bytes]:
    """Answer with an error in the service's own form."""
    error = {"trace": "0" * 32, "errors": [{"code": code, "message": message}], "status_code": status}
    return send_json(start_response, status, error)


def whole(app: WSGIApp, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
    """An app's whole answer: status, headers, body."""
    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        del exc_info
        started[:] = [status, headers]

    body = body_of(app(environ, start))
    return started[0], started[1], body
