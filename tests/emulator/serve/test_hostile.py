"""Whatever comes in on the port, the server refuses it in JSON, goes on, and keeps nobody else waiting."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import ssl

import pytest

from tests.emulator.serve.conftest import read
from tests.emulator.serve.malformed import malformed
from tests.emulator.serve.process import served

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: +5\r\n\r\nhello", 400),
        (POST + b"Content-Length: five\r\n\r\nhello", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
        (POST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length : 5\r\n\r\nhello", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (CHUNKED + b"five\r\nhello\r\n0\r\n\r\n", 400),
        (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400),
        (CHUNKED + b"5\r\nhelloGET / HTTP/1.1\r\n\r\n", 400),
        (POST + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (POST + b"X: y\r\n" * 150 + b"\r\n", 431),
        (POST + b" folded: 1\r\n\r\n", 400),
        (POST + b"X: a\rb\r\n\r\n", 400),
        (POST + b"X: a\x01b\r\n\r\n", 400),
        (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST.replace(b"/ ", b"path ") + b"\r\n", 400),
        (POST + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_a_malformed_request_is_refused(here, request_bytes, status):
    """In JSON, and the connection ends: nobody knows where the next request would begin."""
    answered, body, closed = here.answer(request_bytes)
    assert (answered, closed) == (status, True)
    assert json.loads(body)["errors"][0]["code"] == "invalid_request"
    assert here.crashes == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", "127.0.0.1.evil.example", "ibm.com.evil.example"])
def test_a_foreign_host_is_refused(here, host):
    """A name that was made to point here (DNS rebinding) reaches nothing."""
    status, body, _ = here.ask(f"Host: {host}")
    assert status == 421
    assert json.loads(body)["errors"][0]["code"] == "foreign_host"


def test_the_host_in_the_target_counts(here):
    """It stands above the field: naming this server there helps nobody."""
    request = f"GET https://evil.example/ HTTP/1.1\r\nHost: {here.host}\r\n\r\n"
    assert here.answer(request.encode())[0] == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://{host}", "https://localhost:1"])
def test_a_page_of_another_site_is_refused(here, origin):
    """Also one of another port or without TLS."""
    status, body, _ = here.ask(f"Origin: {origin.format(host=here.host)}")
    assert status == 403
    assert json.loads(body)["errors"][0]["code"] == "foreign_origin"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "us-south.ml.cloud.ibm.com"])
def test_its_own_names_are_served(here, host):
    """With any port, and with the origin that goes with them."""
    status, body, _ = here.ask(f"Host: {host}:8443", f"Origin: https://{host}:8443", body="hello")
    assert (status, json.loads(body)["body"]) == (200, "hello")


def test_a_slow_head_ends_in_time(here):
    """A client that begins a request and does not go on is told, and hung up on."""
    with here.connected() as slow:
        slow.sendall(b"GET / HT")
        assert read(slow)[0] == 408


def test_a_slow_body_ends_in_time(here):
    """The app never takes what came for the whole body."""
    assert here.answer(POST + b"Content-Length: 5\r\n\r\nhel")[0] == 408


def test_silent_clients_keep_nobody_waiting(here):
    """Connections that never begin TLS do not stand in the way of others."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(here.plain())
        assert here.ask()[0] == 200


def test_a_client_without_tls_is_told(here):
    """In plain text, which is all that it would understand."""
    with here.plain() as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"use https://" in plain.recv(1000)


def test_a_body_that_nobody_wants_ends_the_connection(here):
    """A refused upload of any size is answered, without reading all of it."""
    with here.connected() as sock:
        sock.sendall(POST.replace(b"/ ", b"/unread ") + b"Content-Length: 1000000000\r\n\r\n" + b"x" * (2 << 20))
        status, _, closed = read(sock)
    assert (status, closed) == (401, True)


def fire(stream: bytes, sock: ssl.SSLSocket) -> None:
    """Send it, end, and read whatever comes."""
    with sock, contextlib.suppress(OSError):
        sock.sendall(stream)
        socket.socket.shutdown(sock, socket.SHUT_WR)
        while sock.recv(1 << 16):
            continue


def test_random_streams_leave_it_running(here):
    """Requests put together wrongly, cut and turned over."""
    dice = random.Random(1)
    for _ in range(60):
        fire(malformed(dice), here.connected())
    assert here.ask(body="still here")[0] == 200
    assert here.crashes == []


@pytest.mark.slow
def test_thousands_of_random_streams_leave_no_trace(tmp_path):
    """Two thousand against the command itself: no traceback, nothing on its standard error."""
    dice = random.Random(2)
    with served(tmp_path) as server:
        context = ssl.create_default_context(cafile=server.ca)
        for _ in range(2000):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            fire(malformed(dice), context.wrap_socket(plain, server_hostname="127.0.0.1"))
        assert server.stop() == 0
        assert server.errors == ""
