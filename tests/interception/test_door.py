"""The door takes connections to IBM's hosts over, and only those."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request

import pytest

from pytest_wml.interception import Door, NotThroughTheDoor, open_door

ML = "https://us-south.ml.cloud.ibm.com"


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    answer = {
        "method": environ["REQUEST_METHOD"],
        "host": environ["HTTP_HOST"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "length": len(body),
    }
    text = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [text]


@pytest.fixture
def door():
    with open_door(echo) as opened:
        yield opened


def test_requests_are_answered_by_the_app(door):
    """What requests sends to an IBM host is answered in this process, a doubled slash collapsed."""
    import requests

    answer = requests.get(f"{ML}//ml/v4/models?version=2020-01-01", timeout=5).json()
    assert answer == {
        "method": "GET",
        "host": "us-south.ml.cloud.ibm.com",
        "path": "/ml/v4/models",
        "query": "version=2020-01-01",
        "length": 0,
    }


@pytest.mark.parametrize("body", [b"x" * 3_000_000, iter([b"x" * 1_000_000] * 3)], ids=["length", "chunked"])
def test_a_large_body_arrives_whole(door, body):
    """Bodies of known length and chunked ones arrive byte for byte."""
    import requests

    assert requests.put(f"{ML}/ml/v4/models/m/content", data=body, timeout=5).json()["length"] == 3_000_000


def test_one_connection_carries_many_requests(door):
    """A session keeps its connection alive through answered bodies."""
    import requests

    with requests.Session() as session:
        lengths = [session.post(f"{ML}/x", data=b"y" * n, timeout=5).json()["length"] for n in range(20)]
        assert lengths == list(range(20))
        assert len(door._connections) == 1


def test_raw_urllib3_and_httpx_are_carried_too(door):
    """IBM's clients use all three: requests, raw urllib3 and httpx."""
    import httpx
    import urllib3

    assert urllib3.PoolManager().request("POST", f"{ML}/a", body=b"12").json()["length"] == 2
    assert httpx.post(f"{ML}/a", content=b"123").json()["length"] == 3


def test_async_httpx_is_carried(door):
    """Two hundred concurrent async requests get each their own answer."""
    import asyncio

    import httpx

    async def ask() -> list[int]:
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.post(f"{ML}/a", content=b"z" * n, timeout=20) for n in range(200)))
        return [answer.json()["length"] for answer in answers]

    assert asyncio.run(ask()) == list(range(200))


def test_threads_each_get_their_own_answer(door):
    """Sixteen threads do not mix their answers up."""
    import requests

    seen: dict[int, int] = {}

    def ask(n: int) -> None:
        seen[n] = requests.post(f"{ML}/x", data=b"y" * n, timeout=10).json()["length"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {n: n for n in range(16)}


def test_a_proxy_in_the_environment_does_not_matter(door, monkeypatch):
    """With HTTPS_PROXY set the tunnel's target decides, for requests and for httpx."""
    import httpx
    import requests

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert requests.get(f"{ML}/x", timeout=5).json()["host"] == "us-south.ml.cloud.ibm.com"
    assert httpx.get(f"{ML}/x").json()["host"] == "us-south.ml.cloud.ibm.com"


@pytest.fixture
def proxy():
    """A port that accepts connections, as a proxy would."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_what_the_door_does_not_carry_is_refused(door):
    """urllib.request cannot be answered: it is refused by name."""
    with pytest.raises(NotThroughTheDoor, match=r"us-south\.ml\.cloud\.ibm\.com"):
        urllib.request.urlopen(f"{ML}/x", timeout=5)


def test_a_tunnel_through_a_proxy_is_refused(door, proxy, monkeypatch):
    """A proxy would look the name up for urllib.request: the tunnel itself is refused."""
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(NotThroughTheDoor, match=r"us-south\.ml\.cloud\.ibm\.com"):
        urllib.request.urlopen(f"{ML}/x", timeout=5)


def test_other_hosts_are_untouched(door):
    """A server that is not IBM's is reached as ever."""
    import http.server

    import requests

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    answer = requests.get(f"http://127.0.0.1:{server.server_port}/", timeout=5).text
    thread.join()
    server.server_close()
    assert answer == "hello"


def test_everything_is_put_back():
    """A closed door leaves the libraries as they were."""
    import asyncio
    import socket
    import time

    import httpcore
    import urllib3.connection

    def state():
        return (
            urllib3.connection.HTTPSConnection.connect,
            httpcore.SyncBackend.connect_tcp,
            socket.create_connection,
            time.sleep,
            asyncio.sleep,
        )

    before = state()
    with open_door(echo):
        assert all(now is not then for now, then in zip(state(), before, strict=True))
    assert state() == before


def test_a_crash_of_the_app_is_told_and_answered():
    """The client gets a JSON 500 and the run learns of the exception."""
    import requests

    crashes: list[Exception] = []

    def broken(environ, start_response):
        raise RuntimeError("broken")

    door = Door(broken, crashed=crashes.append)
    door.open()
    try:
        answer = requests.get(f"{ML}/x", timeout=5)
    finally:
        door.close()
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "internal"
    assert [str(crash) for crash in crashes] == ["broken"]


def test_ibms_waits_take_no_time_and_others_do():
    """A sleep called from IBM's package returns at once and is counted; the user's own is real."""
    import time

    slept: list[float] = []
    real, time.sleep = time.sleep, slept.append
    try:
        with open_door(echo) as door:
            ibms = {"__name__": "ibm_watson_machine_learning.deployments"}
            exec("import time\ntime.sleep(5)", ibms)
            time.sleep(0.5)
    finally:
        time.sleep = real
    assert slept == [0, 0.5]
    assert door.skipped_seconds == 5


def test_ibms_waits_last_as_long_as_what_they_wait_for():
    """Sync and async, no longer than IBM's client wanted to wait."""
    import asyncio

    waited: list[float] = []

    def work(seconds: float) -> bool:
        waited.append(seconds)
        return False

    door = Door(echo, work=work)
    door.open()
    try:
        ibms = {"__name__": "ibm_watsonx_ai.deployments"}
        exec("import asyncio, time\ntime.sleep(5)\nasync def poll(): return await asyncio.sleep(10, 'rested')", ibms)
        rested = asyncio.run(ibms["poll"]())
    finally:
        door.close()
    assert rested == "rested"
    assert waited == [5, 0, 10]
    assert door.skipped_seconds == 15
