"""The requests of one connection, answered in turn."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

import h11

from pytest_wml.interception.wire.incoming import Body, BrokenBody, Incoming, Limits, Refused
from pytest_wml.interception.wsgi import Environ, WSGIApp

_WITHOUT_BODY = {204, 304}
_BLOCK = 1 << 16
_ABSOLUTE = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_UNLIMITED = Limits()


class Conversation:
    """The requests that come in on one connection, answered in turn by a WSGI app.

    Args:
        sock: a connected socket; who made it closes it.
        app: the WSGI app; it sees `https` as the scheme.
        host: the host that the client asked to be connected to.
        crashed: called with an exception that the app raised; the client gets a JSON 500.
        said: further entries of the app's environ, about the connection.
        limits: how long the client may take.

    Attributes:
        answering: whether a request has come that is not yet answered.
        last: set to end the connection with the next answer, which then has `Connection: close`.
        unread: whether the conversation ended while the client may still have been sending.
    """

    def __init__(
        self,
        sock: socket.socket,
        app: WSGIApp,
        host: str,
        crashed: Callable[[Exception], None],
        said: Mapping[str, Any],
        limits: Limits = _UNLIMITED,
    ) -> None:
        self._sock = sock
        self._app = app
        self._host = host
        self._crashed = crashed
        self._said = said
        self._limits = limits
        self._incoming = Incoming(sock, limits)
        self.answering = False
        self.last = False
        self.unread = False

    def run(self) -> bool:
        """Answer until the client or an answer ends it.

        Returns:
            Whether the last answer went out whole.
        """
        try:
            while (request := self._incoming.request()) is not None:
                self.answering = True
                if not self._answered(request):
                    break
                self.answering = False
            return True
        except Refused as refusal:
            return self._refuse(refusal)
        except OSError:  # the client hung up, the app cut it off, or the socket was closed under us
            return False
        except Exception as error:  # noqa: BLE001 - an answer that is none, such as a status without a number
            self._crashed(error)
            return False

    def _answered(self, request: h11.Request) -> bool:
        """Answer one request; whether another may follow."""
        raw = Body(self._incoming)
        body: io.BufferedIOBase = io.BufferedReader(raw, _BLOCK)
        environ = self._environ(request, body)
        if self._incoming.http.they_are_waiting_for_100_continue:
            self._write(self._sent(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")))
        try:
            status, headers, blocks = _call(self._app, environ)
        except Exception as error:  # noqa: BLE001 - whatever the app lets through is reported, and answered
            if raw.problem is None:
                self._crashed(error)
            status, headers = "500 Internal Server Error", [("Content-Type", "application/json")]
            blocks = [_error("internal", "The answering app failed.")]
        try:
            # A client that still sends while we answer would see a broken pipe, and send everything again.
            self._drain(raw, body)
            return self._send(request, status, headers, blocks)
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()
            body.close()

    def _drain(self, raw: Body, body: io.BufferedIOBase) -> None:
        read = 0
        with contextlib.suppress(BrokenBody):
            while not self.unread and raw.problem is None and (block := body.read(_BLOCK)):
                read += len(block)
                self.unread = self._limits.unread is not None and read > self._limits.unread
        if raw.problem is not None:
            raise raw.problem

    def _environ(self, request: h11.Request, body: io.BufferedIOBase) -> Environ:
        host, target = _target(request)
        path, _, query = target.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": request.method.decode(),
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "SERVER_NAME": self._host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": f"HTTP/{request.http_version.decode()}",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self._said,
        }
        for name, value in request.headers.raw_items():
            if b"_" not in name:  # else it could pass for another field
                key = name.decode().upper().replace("-", "_")
                key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
                text = value.decode("latin-1")
                environ[key] = f"{environ[key]},{text}" if key in environ else text
        environ["HTTP_HOST"] = host or environ.get("HTTP_HOST") or self._host
        return environ

    def _send(self, request: h11.Request, status: str, headers: list[tuple[str, str]], blocks: Iterable[bytes]) -> bool:
        code, _, reason = status.partition(" ")
        bare = request.method == b"HEAD" or int(code) in _WITHOUT_BODY
        names = {name.lower() for name, _ in headers}
        if not bare and "content-length" not in names and isinstance(blocks, (list, tuple)):
            headers = [*headers, ("Content-Length", str(sum(map(len, blocks))))]
        if (self.last or self.unread) and "connection" not in names:
            headers = [*headers, ("Connection", "close")]
        fields = [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        begin = self._sent(h11.Response(status_code=int(code), reason=reason.encode("latin-1"), headers=fields))
        try:
            begin = self._write_blocks(begin, () if bare else blocks)
            if end := begin + self._sent(h11.EndOfMessage()):
                self._write(end)
        except h11.LocalProtocolError:  # more bytes, or fewer, than the app announced
            return False
        return self._incoming.http.our_state is h11.DONE

    def _write_blocks(self, begin: bytes, blocks: Iterable[bytes]) -> bytes:
        """Send the head with the first block, then the others; the head, where there was no block."""
        try:
            for block in filter(None, blocks):
                self._write(begin + self._sent(h11.Data(data=block)))
                begin = b""
        except (OSError, h11.LocalProtocolError):
            raise
        except Exception as error:
            # What has gone out cannot be taken back: a connection that breaks off says that it is not all.
            self._crashed(error)
            raise ConnectionAbortedError("the app failed in the middle of its answer") from error
        return begin

    def _sent(self, event: h11.Event) -> bytes:
        """An event as bytes for the socket."""
        return self._incoming.http.send(event) or b""

    def _write(self, data: bytes) -> None:
        if self._limits.body is not None:
            self._sock.settimeout(self._limits.body)
        self._sock.sendall(data)

    def _refuse(self, refusal: Refused) -> bool:
        # Not by h11: after an error of the client's it sends nothing but an end.
        self.unread = True
        text = _error("invalid_request", str(refusal))
        begin = (
            f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        )
        try:
            self._write(begin.encode("latin-1") + text)
        except OSError:
            return False
        return True


def _target(request: h11.Request) -> tuple[str, str]:
    """The host that the target of a request names, if any, and its path and query.

    Raises:
        Refused: it is no path.
    """
    target = request.target.decode("latin-1")
    if target.startswith("/"):  # IBM's clients join relative links to their host with a slash too many
        return "", "/" + target.lstrip("/")
    if match := _ABSOLUTE.match(target):
        return match[1], target[match.end() :] or "/"
    if target == "*" and request.method == b"OPTIONS":
        return "", target
    raise Refused(400, "The target of the request is no path.")


def _error(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def _call(app: WSGIApp, environ: Environ) -> tuple[str, list[tuple[str, str]], Iterable[bytes]]:
    """Call a WSGI app: its status line, headers and body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        del exc_info
        started[:] = [status, headers]

    blocks = app(environ, start_response)
    if not started:  # a generator starts with its first block
        blocks = _Begun(blocks)
    return started[0], started[1], blocks


class _Begun:
    """An answer of which the first block was asked for already, because only then the app said its status."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._given = blocks
        iterator = iter(blocks)
        self._blocks = itertools.chain([next(iterator, b"")], iterator)

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def close(self) -> None:
        close = getattr(self._given, "close", None)
        if close is not None:
            close()
