"""A server in this process, over real TLS, in front of an app that tells what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from http.client import HTTPResponse

import pytest

from pytest_wml.interception.wire import Limits

pytest.importorskip("trustme")

from pytest_wml.emulator.serve.certificate import LOOPBACK_NAMES, certified
from pytest_wml.emulator.serve.listening import Server, listen
from pytest_wml.emulator.serve.middleware import HostCheck

# Long enough for a loaded machine, short enough to wait for.
HASTY = Limits(idle=20.0, head=0.3, body=0.3, unread=1 << 20)


def echo(environ, start_response):
    """What came, as JSON; under /stream in pieces, under /cut less than was said, under /crash nothing."""
    told = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "host": environ["HTTP_HOST"],
        "from": environ["REMOTE_ADDR"],
    }
    if environ["PATH_INFO"] == "/unread":
        start_response("401 Unauthorized", [])
        return [b"{}"]
    told["body"] = environ["wsgi.input"].read().decode("latin-1")
    if environ["PATH_INFO"] == "/crash":
        raise RuntimeError("the app is broken")
    if environ["PATH_INFO"] == "/cut":
        start_response("200 OK", [("Content-Length", "100")])
        return [b"not all"]
    start_response("200 OK", [("Content-Type", "application/json")])
    text = json.dumps(told).encode()
    return iter([text[:7], b"", text[7:]]) if environ["PATH_INFO"] == "/stream" else [text]


class Listening:
    """A server under test, and what connects to it."""

    def __init__(self, server: Server, context: ssl.SSLContext, crashes: list[Exception]) -> None:
        self.server = server
        self.context = context
        self.crashes = crashes
        self.host = f"127.0.0.1:{server.port}"

    def plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=20)

    def connected(self, name: str = "127.0.0.1") -> ssl.SSLSocket:
        with contextlib.ExitStack() as stack:
            plain = stack.enter_context(self.plain())
            return self.context.wrap_socket(plain, server_hostname=name)  # which takes the plain one over

    def answer(self, request: bytes) -> tuple[int, str, bool]:
        """Status, body, and whether the server then ended the connection."""
        with self.connected() as sock:
            sock.sendall(request)
            return read(sock)

    def ask(self, *fields: str, path: str = "/", body: str = "") -> tuple[int, str, bool]:
        lines = [f"POST {path} HTTP/1.1", *fields, f"Content-Length: {len(body)}"]
        if not any(field.startswith("Host:") for field in fields):
            lines.append(f"Host: {self.host}")
        return self.answer("\r\n".join([*lines, "", body]).encode("latin-1"))


def read(sock: ssl.SSLSocket) -> tuple[int, str, bool]:
    """One answer, read by Python's own client."""
    response = HTTPResponse(sock)
    response.begin()
    body = response.read().decode("latin-1")
    closes = response.will_close
    response.close()
    return response.status, body, closes


@contextlib.contextmanager
def listening(folder, app=echo, limits=HASTY, most=64):
    tls = certified(folder, LOOPBACK_NAMES, folder)
    crashes: list[Exception] = []
    server = Server(listen("127.0.0.1", 0), tls.context, HostCheck(app, LOOPBACK_NAMES), crashes.append, limits, most)
    server.start()
    try:
        yield Listening(server, ssl.create_default_context(cafile=tls.ca), crashes)
    finally:
        server.stop(patience=2.0)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A server for all tests of a module that leave it running."""
    with listening(tmp_path_factory.mktemp("server")) as running:
        yield running
