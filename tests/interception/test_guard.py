"""What the door does not carry is refused for IBM's hosts, by name, and told to the run; everything else is not."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import socket
import ssl
import threading
import urllib.request
from socket import getaddrinfo

import pytest

from pytest_wml.interception import Door, NotThroughTheDoor, open_door
from pytest_wml.wml.hosts import Hosts
from tests.interception.test_door import ML, echo

HOST = "us-south.ml.cloud.ibm.com"


@pytest.fixture
def refusals():
    """The refusals that an open door told the run of."""
    told: list[Exception] = []
    door = Door(echo, Hosts.of(["10.1.2.3"]), refused=told.append)
    door.open()
    yield told
    door.close()


@pytest.fixture
def listening():
    """The port of a server that counts whoever connects and answers nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def aiohttp_get(trust_env: bool) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def get():
        async with aiohttp.ClientSession(trust_env=trust_env) as session, session.get(f"{ML}/x") as answer:
            return answer.status

    asyncio.run(get())


def connect_by_name(method: str) -> None:
    with socket.socket() as sock:
        getattr(sock, method)((HOST, 443))


def http_client() -> None:
    http.client.HTTPSConnection(HOST, timeout=5).request("GET", "/x")


def a_tunnel_of_ones_own(port: int) -> None:
    """A proxy that was asked for the tunnel by hand: the TLS that follows is refused."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        ssl.create_default_context().wrap_socket(sock, server_hostname=HOST)


WAYS = {
    "urllib.request": lambda: urllib.request.urlopen(f"{ML}/x", timeout=5),
    "http.client": http_client,
    "create_connection": lambda: socket.create_connection((HOST, 443), timeout=5),
    "connect": lambda: connect_by_name("connect"),
    "connect_ex": lambda: connect_by_name("connect_ex"),
    "getaddrinfo": lambda: socket.getaddrinfo(host=HOST, port=443),
    "getaddrinfo bytes": lambda: socket.getaddrinfo(HOST.encode(), "https"),
    "gethostbyname": lambda: socket.gethostbyname(HOST),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(HOST),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(HOST, 443)),
    "aiohttp": lambda: aiohttp_get(False),
    "http": lambda: urllib.request.urlopen(f"http://{HOST}/x", timeout=5),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_past_the_door_is_refused(refusals, way):
    """By the host's name, with the way on; whoever swallows it does not keep it from the run."""
    with pytest.raises(NotThroughTheDoor, match=r"A connection to us-south\.ml\.cloud\.ibm\.com was refused"):
        WAYS[way]()
    assert [str(told).splitlines()[0] for told in refusals] == [
        f"A connection to {HOST} was refused: it would leave this process for IBM."
    ]


def test_a_named_address_is_refused_too(refusals):
    """A Cloud Pak for Data may be named by its address."""
    with pytest.raises(NotThroughTheDoor, match=r"10\.1\.2\.3"), socket.socket() as sock:
        sock.connect(("10.1.2.3", 443))


@pytest.mark.parametrize("way", ["urllib.request", "http.client", "aiohttp", "tls", "http"])
def test_a_proxy_is_not_even_asked(refusals, listening, monkeypatch, way):
    """A proxy would look the name up itself: it hears nothing of IBM."""
    proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
    for variable in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(variable, proxy)
    monkeypatch.delenv("no_proxy", raising=False)

    def by_http_client():
        connection = http.client.HTTPSConnection("127.0.0.1", listening.getsockname()[1], timeout=5)
        connection.set_tunnel(HOST, 443)
        connection.request("GET", "/x")

    ways = {
        **WAYS,
        "http.client": by_http_client,
        "aiohttp": lambda: aiohttp_get(True),
        "tls": lambda: a_tunnel_of_ones_own(listening.getsockname()[1]),
    }
    with pytest.raises(NotThroughTheDoor, match=r"us-south\.ml\.cloud\.ibm\.com"):
        ways[way]()
    assert len(refusals) == 1
    listening.setblocking(False)
    while True:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            break
        with connection:  # other libraries may talk too: onnxruntime sends telemetry through the proxy
            assert HOST.encode() not in connection.recv(1000)


def test_a_look_up_held_since_before_is_refused(refusals):
    """Whoever imported `getaddrinfo` by name before the door opened is not past it."""
    with pytest.raises(NotThroughTheDoor):
        getaddrinfo(HOST, 443)


def test_a_guard_that_another_plugin_took_away_is_put_back():
    """pytest-socket ends each test by putting back the `connect` that it had found."""
    before = socket.socket.connect
    with open_door(echo) as door:
        socket.socket.connect = before
        door.restore_guards()
        with pytest.raises(NotThroughTheDoor):
            connect_by_name("connect")
    assert socket.socket.connect is before


def test_a_replacement_that_is_still_in_use_is_left(monkeypatch):
    """What another plugin replaced for a time is not wrapped: it could not take it away again."""

    def theirs(self, address):
        raise AssertionError(address)

    with open_door(echo) as door:
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", theirs)
            door.restore_guards()
            assert socket.socket.connect is theirs


def test_the_live_mode_has_no_guard(listening):
    """Where answers come from the service, what the door does not carry goes its own way; the rest is carried."""
    import requests

    door = Door(echo, Hosts.of([f"localhost:{listening.getsockname()[1]}"]), skip_waits=False, fail_closed=False)
    look_up, connect = socket.getaddrinfo, socket.socket.connect
    door.open()
    try:
        assert (socket.getaddrinfo, socket.socket.connect) == (look_up, connect)
        with socket.create_connection(("localhost", listening.getsockname()[1]), timeout=5):
            pass
        assert requests.get(f"{ML}/x", timeout=5).json()["host"] == HOST
    finally:
        door.close()


def test_other_hosts_share_a_session_with_ibms(refusals):
    """One requests.Session, and one httpx.Client, talks to the door and to a server of somebody else's."""
    import httpx
    import requests

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        other = f"http://127.0.0.1:{server.server_port}/"
        with requests.Session() as session, httpx.Client() as client:
            answers = [
                (ask(f"{ML}/x", timeout=5).json()["host"], ask(other, timeout=5).text)
                for ask in (session.get, client.get, session.get, client.get)
            ]
            assert urllib.request.urlopen(other, timeout=5).read() == b"hello"
        server.shutdown()
        thread.join()
    assert answers == [(HOST, "hello")] * 4
    assert refusals == []


def test_loopback_is_nobodys_but_its_own(refusals):
    """IBM's client at a server on this machine talks to that server, unless it is named."""
    ask = {"__name__": "ibm_watson_machine_learning.somewhere", "door": Door(echo)}
    ask["door"]._is_open = True
    for host in ("localhost", "127.0.0.1", "::1", "[::1]", "api.localhost"):
        exec(f"found = door.intercepts({host!r}, 8443)", ask)
        assert ask["found"] is False, host


def test_a_host_that_ibms_client_asks_for_is_the_doors():
    """A Cloud Pak for Data that only the client knows is met once, and then known, at that port."""
    door = Door(echo)
    door._is_open = True
    assert not door.intercepts("cpd.example.com", 8443)
    exec("door.intercepts('cpd.example.com', 8443)", {"__name__": "ibm_watsonx_ai.client", "door": door})
    assert door.intercepts("CPD.example.com", 8443)
    assert not door.intercepts("cpd.example.com", 443)
