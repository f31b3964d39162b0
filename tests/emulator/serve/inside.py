"""The server of `pytest-wml serve` in this process, for tests of what asks it."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pytest_wml.config import fault_rules
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.serve.announce import ServerFacts
from pytest_wml.emulator.serve.certificate import LOOPBACK_NAMES, certified
from pytest_wml.emulator.serve.listening import Server, listen
from pytest_wml.emulator.serve.middleware import DateHeader, HostCheck, RequestLines
from pytest_wml.interception.faults import Faults
from pytest_wml.interception.wsgi import Environ
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID


class Inside:
    """A server that listens; it has what tests ask of `tests.emulator.serve.process.Served`."""

    def __init__(self, running: ServerFacts) -> None:
        self.said: list[str] = []
        """A line for each request that was answered, as `serve -v` prints them."""
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.url = running.url
        self.ca = str(running.ca)
        self.environment = running.environment

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def say(self, line: str) -> None:
        self.said.append(line)
        self._heard.put(line)

    def wait_for(self, request: str) -> None:
        """Return when a request that begins so was answered, once a request."""
        while not self._heard.get(timeout=120).startswith(request):
            pass

    def told_environment(self) -> dict[str, str]:
        """This process's environment without the run's guard of IBM's hosts, and what `serve` says to export."""
        return {name: value for name, value in os.environ.items() if name != "PYTEST_WML_GUARD"} | self.environment


class Settled:
    """A WSGI app in front of a service's: whoever looks at a deployment finds it loaded, and need not look again."""

    def __init__(self, service: EmbeddedWML) -> None:
        self._service = service

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and "/deployments/" in environ["PATH_INFO"]:
            self._service.wait_for_loads(60)
        return self._service(environ, start_response)


@contextlib.contextmanager
def serving(folder: Path, *script: str) -> Iterator[Inside]:
    """A server over TLS that injects these faults, while the block lasts."""
    (folder / "faults").write_text("\n".join(script))
    crashes: list[Exception] = []
    with EmbeddedWML(spaces=[DEFAULT_SPACE_ID]) as service, listen("127.0.0.1", 0) as listener:
        tls = certified(folder, LOOPBACK_NAMES, folder)
        faulty = Faults(Settled(service), fault_rules.read(folder / "faults"))
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        inside = Inside(ServerFacts(url, tls.ca, tls.bundle, DEFAULT_SPACE_ID, "5.0.3"))
        app = DateHeader(HostCheck(RequestLines(faulty, inside.say), LOOPBACK_NAMES))
        server = Server(listener, tls.context, app, crashes.append)
        server.start()
        try:
            yield inside
        finally:
            faulty.close()
            server.stop()
        assert service.crashes == crashes == []
