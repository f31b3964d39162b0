"""Connections: kept alive, framed, certified, and brought to an end."""

from __future__ import annotations

import json
import re
import ssl
import threading
from pathlib import Path

import pytest

from pytest_wml.wml.hosts import cloud_role
from tests.emulator.serve.conftest import HASTY, echo, listening, read

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_one_connection_carries_many_requests(here):
    """Also when the client sends the next before it has read an answer."""
    with here.connected() as sock:
        sock.sendall(GET * 3)
        parts = b""
        while parts.count(b'"method"') < 3:
            parts += sock.recv(1 << 16)
    assert parts.count(b"HTTP/1.1 200 OK") == 3
    assert b"Connection: close" not in parts


def test_blank_lines_between_requests_mean_nothing(here):
    """Some clients end a body with a line of their own, which its length does not count (RFC 9112, section 2.2)."""
    with here.connected() as sock:
        for body in (b"hello\r\n", b"again\r\n\r\n"):
            sock.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n" + body)
            status, told, _ = read(sock)
            assert (status, json.loads(told)["body"]) == (200, body.decode().strip())


def test_the_app_is_told_who_asks(here):
    """Address and host."""
    _, body, _ = here.ask(body="hello")
    assert json.loads(body) == {"method": "POST", "path": "/", "host": here.host, "from": "127.0.0.1", "body": "hello"}


def test_a_body_in_chunks_arrives_whole(here):
    """With extensions and trailers, which say nothing here."""
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    _, body, closed = here.answer(head + b"5;x=1\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: 1\r\n\r\n")
    assert (json.loads(body)["body"], closed) == ("hello world", False)


def test_an_answer_of_unknown_length_comes_in_chunks(here):
    """And to a client of HTTP/1.0 until the connection ends."""
    for version in ("1.1", "1.0"):
        status, body, closed = here.answer(f"GET /stream HTTP/{version}\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert (status, json.loads(body)["path"], closed) == (200, "/stream", version == "1.0")


def test_an_answer_that_is_cut_short_ends_the_connection(here):
    """So that nobody takes the next answer for its rest."""
    with here.connected() as sock:
        sock.sendall(GET.replace(b"/ ", b"/cut "))
        with pytest.raises(Exception, match=r"IncompleteRead|EOF"):
            read(sock)


def test_an_app_that_fails_is_answered_for(tmp_path):
    """500 in JSON, told to whoever runs the server; the connection goes on."""
    with listening(tmp_path) as own:
        status, body, closed = own.ask(path="/crash")
        assert (status, closed) == (500, False)
        assert json.loads(body)["errors"][0]["code"] == "internal"
        assert [str(crash) for crash in own.crashes] == ["the app is broken"]


def clients_hosts() -> set[str]:
    """The hosts of IBM Cloud that the newer client's source names; not those of IBM's own test stages."""
    module = pytest.importorskip("ibm_watsonx_ai")
    text = "".join(file.read_text() for file in Path(module.__file__).parent.glob("*.py"))
    named = set(re.findall(r"https://([a-z0-9.-]+\.ibm\.com)", text))
    stages = re.compile(r"\b(test|dev|yp)\b|-(qa|cr|fvt|dev)\.")
    return {host for host in named if cloud_role(host) and not stages.search(host)}


def test_every_host_that_ibms_client_knows_is_certified(here):
    """Whichever region a client is led here from; a wildcard stands for one label (RFC 9525)."""
    with here.connected() as sock:
        certified = {name for kind, name in sock.getpeercert()["subjectAltName"] if kind == "DNS"}
    hosts = clients_hosts()
    assert len(hosts) > 20
    assert {host for host in hosts if not {host, "*." + host.partition(".")[2]} & certified} == set()


def test_other_hosts_are_not_certified(here):
    """Its authority vouches for nothing else."""
    with pytest.raises(ssl.SSLCertVerificationError):
        here.connected("www.example.com")


def test_more_connections_than_allowed_wait(tmp_path):
    """They are served as soon as others end, not refused."""
    with listening(tmp_path, most=2) as few:
        first, second = few.connected(), few.connected()
        waiting = threading.Thread(target=few.ask)
        waiting.start()
        second.close()
        waiting.join(10)
        assert not waiting.is_alive()
        first.close()


def test_stopping_finishes_what_is_in_flight(tmp_path):
    """The answer comes whole, and says that the connection ends; idle connections end at once."""
    entered, released = threading.Event(), threading.Event()

    def slow(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            entered.set()
            released.wait(10)
        return echo(environ, start_response)

    with listening(tmp_path, slow) as own, own.connected() as idle, own.connected() as busy:
        idle.sendall(GET)
        assert read(idle)[2] is False
        busy.sendall(GET.replace(b"/ ", b"/slow "))
        assert entered.wait(10)
        stopped: list[bool] = []
        stopping = threading.Thread(target=lambda: stopped.append(own.server.stop()))
        stopping.start()
        assert idle.recv(1) == b""
        released.set()
        assert read(busy)[::2] == (200, True)
        stopping.join(10)
        assert stopped == [True]
        with pytest.raises(OSError, match="refused"):
            own.plain()


def test_what_does_not_end_is_ended(tmp_path):
    """An app that takes longer than the server has patience for is cut off."""
    entered, released = threading.Event(), threading.Event()

    def endless(environ, start_response):
        entered.set()
        released.wait(10)
        return echo(environ, start_response)

    with listening(tmp_path, endless, HASTY) as own, own.connected() as busy:
        busy.sendall(GET)
        assert entered.wait(10)
        assert own.server.stop(patience=0.1) is False
        released.set()
