"""Sends again what the live service had no time for, where that is safe."""

from __future__ import annotations

import contextlib
import datetime
import io
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from pytest_wml.interception.messages import path_of
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.wml.operations import Purpose, plain, purpose, repeatable

_BUSY = (429, 502, 503, 504)
_BROKEN = 500
"""What a model answers that cannot score; sending the same rows again would cost again and give the same."""
_TRIES = 5
_FIRST, _LONGEST = 1.0, 30.0
_LARGEST = 8 << 20
"""Bytes of a body that are kept to be sent again."""


class Retrying:
    """A WSGI app in front of the live service that asks again after 429 and 5xx.

    Only requests that are safe to repeat: looks, tokens, and scorings of up to 8 MiB. What creates, changes or
    deletes is sent once. The service's Retry-After is kept to, up to 30 seconds; else the wait is doubled each
    time, from one second, with jitter (as RFC 9110, 10.2.3, and IBM Cloud's SDKs have it).

    Args:
        app: the way to the service.
        wait: passes the time; returns true when the run is ending.
    """

    def __init__(self, app: WSGIApp, wait: Callable[[float], bool] | None = None) -> None:
        self._app = app
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self.repeated: Counter[str] = Counter()
        """How often which answer made which request be sent again."""
        self.waited = 0.0
        """Seconds between two tries, of all requests."""
        self._once = 0

    @contextlib.contextmanager
    def once(self) -> Iterator[None]:
        """Inside, nothing is sent again: whoever measures wants each refusal, and no wait among the times."""
        self._once += 1
        try:
            yield
        finally:
            self._once -= 1

    def close(self) -> None:
        """End what waits."""
        self._closed.set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        length = environ.get("CONTENT_LENGTH") or 0
        unknown = not length and "HTTP_TRANSFER_ENCODING" in environ
        if self._once or not repeatable(method, path) or unknown or int(length) > _LARGEST:
            return self._app(environ, start_response)
        sent = environ["wsgi.input"].read() if length else b""
        for attempt in range(1, _TRIES + 1):
            environ["wsgi.input"] = io.BytesIO(sent)
            begun: list[Any] = []
            blocks = self._app(environ, lambda *started: begun.append(started))  # noqa: B023 - called before it ends
            status, headers = begun[0][:2]
            seconds = pause(int(status[:3]), purpose(method, path), attempt, _header(headers, "retry-after"))
            if seconds is None or self._wait(seconds):
                break
            _end(blocks)
            self.waited += seconds
            self.repeated[f"{status[:3]} on {method} …/{plain(path).rpartition('/')[2][:36]}"] += 1
        start_response(status, headers)
        return blocks


def pause(status: int, why: Purpose, attempt: int, retry_after: str = "") -> float | None:
    """Seconds to wait before a request is sent again; None where it is not.

    Args:
        status: that was answered.
        why: what the request is for; it is one that may be repeated.
        attempt: how often it was sent.
        retry_after: that header's value: seconds, or a date.
    """
    if attempt >= _TRIES or not (status in _BUSY or (status == _BROKEN and why is not Purpose.SCORE)):
        return None
    asked = _seconds(retry_after)
    if asked is not None:
        return asked if asked <= _LONGEST else None
    jitter = 1 + random.random() / 4  # noqa: S311 - not for secrets
    return float(min(_FIRST * 2 ** (attempt - 1), _LONGEST)) * jitter


def _seconds(retry_after: str) -> float | None:
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until - datetime.datetime.now(until.tzinfo)).total_seconds())
    except (ValueError, TypeError):
        return None


def _header(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _end(blocks: Iterable[bytes]) -> None:
    for _ in blocks:  # a connection is kept only when its answer was read
        pass
    close = getattr(blocks, "close", None)
    if close is not None:
        close()
