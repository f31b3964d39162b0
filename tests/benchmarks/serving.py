"""Two hundred keep-alive connections that score two digits against `pytest-wml serve`, and its end under that load.

    python tests/benchmarks/serving.py [--seconds 60] [--connections 200]

Prints scorings a second, their times, failures, the server's memory over time, and how long it takes to stop.
The clients are threads on bare TLS sockets, in a process of their own: a client library would cost more than the
server. A request counts as acknowledged when its whole answer has come.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import requests

from pytest_wml.digits import load_digits
from tests.emulator.serve.process import Served, served


@dataclass
class Load:
    """What the clients have seen."""

    seconds: list[float] = field(default_factory=list)
    """Of each acknowledged request."""
    failures: list[str] = field(default_factory=list)
    """Wrong answers, refusals, and connections that ended in the middle of an answer or unannounced."""
    unanswered: int = 0
    """Requests sent to a connection that the server, told to stop, had ended."""
    told: int = 0
    """Connections that were ended with `Connection: close`, as announced."""
    memory: list[float] = field(default_factory=list)
    """The server's resident memory in MiB, over time."""
    stop_seconds: float = 0.0
    exit_code: int | None = None


class Client:
    """One keep-alive connection that scores."""

    def __init__(self, url: str, context: ssl.SSLContext, request: bytes) -> None:
        host, port = urlsplit(url).hostname, urlsplit(url).port
        assert host
        self._request = request
        plain = socket.create_connection((host, port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = context.wrap_socket(plain, server_hostname=host)
        self._file = self._sock.makefile("rb")

    def score(self) -> tuple[int, bytes, bool]:
        """Status, body, and whether the server ends the connection; status 0 where no answer came at all."""
        try:
            self._sock.sendall(self._request)
            status = self._file.readline()
        except OSError:
            return 0, b"", True
        if not status:
            return 0, b"", True
        length, closes = 0, False
        while (line := self._file.readline().strip().lower()) not in (b"", b"\r\n"):
            length = int(line[15:]) if line.startswith(b"content-length:") else length
            closes = closes or line == b"connection: close"
        body = self._file.read(length)
        if len(body) != length:
            raise ConnectionError("the answer is not all there")
        return int(status.split()[1]), body, closes

    def close(self) -> None:
        self._file.close()
        self._sock.close()


def deployed(server: Served) -> tuple[str, bytes]:
    """The sample, stored and deployed; a whole request that scores it, and the answer to it."""
    session = requests.Session()
    session.trust_env = False  # it may name other authorities
    session.verify = server.ca
    given = server.environment
    login = {"username": given["WML_USERNAME"], "api_key": given["WML_APIKEY"]}
    token = session.post(f"{server.url}/icp4d-api/v1/authorize", json=login).json()["token"]
    session.headers["Authorization"] = f"Bearer {token}"
    query = {"version": "2026-01-01", "space_id": given["WML_SPACE_ID"]}

    def post(path: str, body: dict) -> str:
        answer = session.post(f"{server.url}/ml/v4/{path}", json={**body, "space_id": query["space_id"]}, params=query)
        answer.raise_for_status()
        return answer.json()["metadata"]["id"]

    spec = {"name": "runtime-24.1-py3.11"}
    model_id = post("models", {"name": "m", "type": "tensorflow_2.14", "software_spec": spec})
    archive = (files("pytest_wml") / "data" / "mnist_cnn.tar.gz").read_bytes()
    session.put(f"{server.url}/ml/v4/models/{model_id}/content", data=archive, params=query).raise_for_status()
    deployment_id = post("deployments", {"name": "d", "online": {}, "asset": {"id": model_id}})
    digits = load_digits()
    body = json.dumps({"input_data": [{"values": [digits[5].tolist(), digits[4].tolist()]}]}).encode()
    path = f"/ml/v4/deployments/{deployment_id}/predictions?version=2026-01-01"
    answer = session.post(server.url + path, data=body, headers={"Content-Type": "application/json"})
    answer.raise_for_status()
    session.close()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body, answer.content


def memory(pid: int) -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def loaded(server: Served, connections: int, seconds: float, samples: int = 12) -> Load:
    """Score on that many connections for that long, then signal the server in the middle of it."""
    request, expected = deployed(server)
    context = ssl.create_default_context(cafile=server.ca)
    load = Load()
    stopping = threading.Event()
    start = threading.Barrier(connections + 1)

    def score() -> None:
        client = Client(server.url, context, request)
        start.wait()
        try:
            for took in _scored(client, expected, load, stopping):
                load.seconds.append(took)
        except (OSError, ValueError) as error:
            load.failures.append(f"{type(error).__name__}: {error}")
        finally:
            client.close()

    threads = [threading.Thread(target=score, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    start.wait()
    for _ in range(samples):
        time.sleep(seconds / samples)
        load.memory.append(memory(server.process.pid))
    stopping.set()
    begun = time.perf_counter()
    load.exit_code = server.stop(signal.SIGTERM)
    load.stop_seconds = time.perf_counter() - begun
    for thread in threads:
        thread.join(10)
    return load


def _scored(client: Client, expected: bytes, load: Load, stopping: threading.Event) -> Iterator[float]:
    """Seconds of one scoring after another, until the server ends the connection."""
    while True:
        begun = time.perf_counter()
        status, body, closes = client.score()
        if status == 0 and stopping.is_set():
            load.unanswered += 1
            return
        if status != 200 or body != expected:
            load.failures.append(f"status {status}: {body[:200]!r}")
            return
        yield time.perf_counter() - begun
        if closes:
            load.told += 1
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--option", action="append", default=[], help="of pytest-wml serve")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), *given.option) as server:
        load = loaded(server, given.connections, given.seconds)
    times = sorted(load.seconds)
    print(f"{len(times)} scorings on {given.connections} connections, {len(times) / given.seconds:.0f} a second")
    print(f"p50 {1e3 * statistics.median(times):.1f} ms, p99 {1e3 * times[int(0.99 * len(times))]:.1f} ms")
    print(f"failures: {len(load.failures)} {load.failures[:3]}")
    print("memory in MiB: " + " ".join(f"{one:.0f}" for one in load.memory))
    print(
        f"SIGTERM: ended in {load.stop_seconds:.2f} s with {load.exit_code}; {load.told} connections told with their "
        f"last answer, {load.unanswered} requests sent to a connection that had ended, without an answer"
    )


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    main()
