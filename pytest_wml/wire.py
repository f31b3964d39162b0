"""HTTP/1.1 on one end of a socket, handed to a WSGI app."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from pytest_wml.wsgi import Environ, WSGIApp

_WITHOUT_BODY = {204, 304}
_BLOCK = 1 << 16


class _Body(io.RawIOBase):
    """A request body of known length; never reads into the next request."""

    def __init__(self, stream: io.BufferedIOBase, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        block = self._stream.read(wanted) if wanted else b""
        buffer[: len(block)] = block
        self._left = self._left - len(block) if block else 0
        return len(block)


class _ChunkedBody(io.RawIOBase):
    """A request body in chunked transfer coding (RFC 9112, section 7.1)."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._left = 0
        self._done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._next_chunk()
        if self._done:
            return 0
        block = self._stream.read(min(len(buffer), self._left))
        if not block:
            raise OSError("the connection ended inside a chunk")
        buffer[: len(block)] = block
        self._left -= len(block)
        if not self._left:
            self._stream.readline()
        return len(block)

    def _next_chunk(self) -> None:
        if self._done:
            return
        self._left = int(self._stream.readline().split(b";")[0].strip() or b"0", 16)
        if not self._left:
            self._done = True
            while self._stream.readline() not in (b"\r\n", b"\n", b""):
                continue


class Conversation(BaseHTTPRequestHandler):
    """The requests that come in on one connection, answered in turn by a WSGI app.

    Args:
        sock: a connected socket; closed at the end.
        app: the WSGI app; it sees `https` as the scheme.
        host: the host that the client asked to be connected to.
        crashed: told of an exception that the app let through; the client gets a JSON 500.
        said: what else the app is told of the connection, in its environ.
    """

    protocol_version = "HTTP/1.1"

    def __init__(
        self,
        sock: socket.socket,
        app: WSGIApp,
        host: str,
        crashed: Callable[[Exception], None],
        said: Mapping[str, Any],
    ) -> None:
        self._said = said
        self._app = app
        self._host = host
        self._crashed = crashed
        try:
            super().__init__(sock, ("127.0.0.1", 0), None)  # type: ignore[arg-type]
        except (OSError, ValueError):  # the client hung up, or the door closed the socket
            pass
        finally:
            sock.close()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what goes over the wire may hold secrets."""

    def _answer(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self._environ()
        body = environ["wsgi.input"]
        try:
            status, headers, blocks = _call(self._app, environ)
        except Exception as error:  # noqa: BLE001 - whatever the app lets through is reported, and answered
            self._crashed(error)
            status, headers = "500 Internal Server Error", [("Content-Type", "application/json")]
            blocks = [b'{"errors": [{"code": "internal", "message": "The answering app failed."}]}']
        try:
            # A client that still sends while we answer would see a broken pipe, and send everything again.
            while body.read(_BLOCK):
                continue
            self._send(status, headers, blocks)
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()

    def _environ(self) -> Environ:
        url = urlsplit(self.path) if self.path.startswith("http") else None
        target = self.path if url is None else self.path[len(f"{url.scheme}://{url.netloc}") :]
        path, _, query = target.partition("?")
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        length = self.headers.get("Content-Length", "")
        raw = _ChunkedBody(self.rfile) if chunked else _Body(self.rfile, int(length or 0))
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "SERVER_NAME": self._host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BufferedReader(raw, _BLOCK),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self._said,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ.setdefault("HTTP_HOST", self._host)
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], blocks: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        names = {name.lower() for name, _ in headers}
        bare = self.command == "HEAD" or int(code) in _WITHOUT_BODY
        if not bare and "content-length" not in names and isinstance(blocks, (list, tuple)):
            headers = [*headers, ("Content-Length", str(sum(map(len, blocks))))]
            names.add("content-length")
        chunked = not bare and "content-length" not in names
        if chunked:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        for block in () if bare else blocks:
            if block:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


def _call(app: WSGIApp, environ: Environ) -> tuple[str, list[tuple[str, str]], Iterable[bytes]]:
    """Call a WSGI app: its status line, headers and body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        del exc_info
        started[:] = [status, headers]

    blocks = app(environ, start_response)
    if not started:  # a generator starts with its first block
        iterator = iter(blocks)
        first = next(iterator, b"")
        blocks = [first, *iterator]
    return started[0], started[1], blocks
