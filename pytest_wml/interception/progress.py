"""Reports the progress of uploads and the states of deployments."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pytest_wml.interception.messages import is_upload, path_of
from pytest_wml.interception.wsgi import Environ, WSGIApp, body_of

Tell = Callable[[str], None]

_DEPLOYMENTS = re.compile(r"/ml/v4/deployments(/[^/]+)?")
_BLOCK = 1 << 16


class ProgressReporter:
    """A WSGI app that reports what passes to and from another one; transparent outside of `by`.

    It stands next to the app that answers, so that an upload's bytes are counted as they leave, also where a
    recorder has read them before.

    Args:
        app: answers.
    """

    def __init__(self, app: WSGIApp) -> None:
        self._app = app
        self._watch: _Watch | None = None

    @contextlib.contextmanager
    def by(self, tell: Tell) -> Iterator[None]:
        """Report what passes inside the block."""
        self._watch = _Watch(tell)
        try:
            yield
        finally:
            self._watch = None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        watch = self._watch
        if watch is None:
            return self._app(environ, start_response)
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        if is_upload(method, path):
            counted = _Counted(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0), watch.tell)
            environ["wsgi.input"] = io.BufferedReader(counted, _BLOCK)
        answered = self._app(environ, start_response)
        if method not in ("GET", "POST") or not _DEPLOYMENTS.fullmatch(path):
            return answered
        body = body_of(answered)
        watch.see(body)
        return [body]


class _Watch:
    """The trail of a deployment's states."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self._begun = time.monotonic()
        self._trail: list[str] = []

    def see(self, body: bytes) -> None:
        """Tell the states until now, where an answer has one."""
        try:
            state = json.loads(body)["entity"]["status"]["state"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if self._trail[-1:] != [str(state)]:
            self._trail.append(str(state))
        self.tell(f"deploying: {' → '.join(self._trail)}, {time.monotonic() - self._begun:.0f} s")


class _Counted(io.RawIOBase):
    """A request's body, whose bytes are reported as they are read."""

    def __init__(self, stream: Any, total: int, tell: Tell) -> None:
        self._stream = stream
        self._total = total
        self._tell = tell
        self._done = 0
        self._reported = -1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._done += len(block)
        # A line each hundredth, or each megabyte where the length is not known before.
        step = 100 * self._done // self._total if self._total else self._done >> 20
        if step != self._reported:
            self._reported = step
            of = f" of {self._total / 1e6:,.1f}" if self._total else ""
            self._tell(f"uploading: {self._done / 1e6:,.1f}{of} MB")
        return len(block)
