"""Intercepts connections to IBM's hosts and answers their HTTP requests with a WSGI app."""

from __future__ import annotations

import _socket
import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from pytest_wml.interception import call_stack, guard, urllib3_connections, vcr_bypass, waits
from pytest_wml.interception.guard import NotThroughTheDoor, direct_connections
from pytest_wml.interception.patches import AfterImport, Patches
from pytest_wml.interception.wsgi import WSGIApp
from pytest_wml.wml.hosts import Hosts, is_loopback, without_port

__all__ = ["IBMS_CLIENT", "Door", "NotThroughTheDoor", "direct_connections", "fails_closed", "open_door"]

IBMS_CLIENT = "pytest_wml.ibms_client"
"""Key in the WSGI environ: whether one of IBM's WML clients opened the connection."""

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket
_CLOSE_SECONDS = 2.0


# A process has one network. Code that would connect to IBM checks for an open door that forbids it.
_fail_closed_doors: weakref.WeakSet[Door] = weakref.WeakSet()


def fails_closed() -> bool:
    """Whether an open door in this process refuses all other connections to IBM."""
    return bool(_fail_closed_doors)


def _ignore(error: Exception) -> None:
    del error


def _no_work(seconds: float) -> bool:
    del seconds
    return True


class Door:
    """Intercepts connections to IBM's hosts and passes their HTTP requests to a WSGI app.

    The connection is replaced, not the request, so requests of threads, async code and raw urllib3 are intercepted
    in the same way. IBM's hosts are those of IBM Cloud, the named ones, and every host that one of IBM's clients
    connects to: only the client knows the hosts of a Cloud Pak for Data and of its login. Addresses of this machine
    count as IBM's only if they are named. Connections to all other hosts are unchanged.

    Args:
        app: answers the requests; each connection calls it from a thread of its own.
        hosts: IBM's hosts.
        skip_waits: whether the sleeps of IBM's client take no time, or only as long as `work` takes.
        work: waits for a change in the polled state, at most the given number of seconds; returns whether nothing
            is left to wait for.
        fail_closed: whether connections to IBM that cannot be intercepted are refused.
        refused: called with the error of a refused connection.
        crashed: called with an exception that the app raised.
    """

    def __init__(
        self,
        app: WSGIApp,
        hosts: Hosts | None = None,
        *,
        skip_waits: bool = True,
        work: waits.Work = _no_work,
        fail_closed: bool = True,
        refused: Callable[[Exception], None] = _ignore,
        crashed: Callable[[Exception], None] = _ignore,
    ) -> None:
        self._app = app
        self.hosts = hosts or Hosts()
        self.skipped_seconds = 0.0
        self._skip_waits = skip_waits
        self._work = work
        self._fail_closed = fail_closed
        self._refused = refused
        self._crashed = crashed
        self._patches = Patches()
        self._guards = Patches()
        self._is_open = False
        self._hosts_of_clients: set[str] = set()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._watch = AfterImport(
            {"urllib3.connection": self._intercept_urllib3, "httpcore": self._intercept_httpcore}
            | ({"asyncio": self._skip_awaits} if skip_waits else {})
            | (self._after_guarded_imports() if fail_closed else {})
        )

    def open(self) -> None:
        """Start to intercept connections, also those of libraries that are imported later."""
        self._is_open = True
        if self._fail_closed:
            _fail_closed_doors.add(self)
            guard.check_names(self._guards, self.check)
        if self._skip_waits:
            waits.skip(self._patches, self._skipped, self._work, lambda: self._is_open)
        self._watch.install()

    def restore_guards(self) -> None:
        """Install the guards again that another plugin removed when it restored its own patches."""
        self._guards.reapply()

    def close(self) -> None:
        """Undo all patches, close the intercepted connections and wait for their threads."""
        self._is_open = False
        _fail_closed_doors.discard(self)
        self._watch.remove()
        self._guards.undo()
        self._patches.undo()
        with self._lock:
            connections = dict(self._connections)
        for sock in connections.values():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        # An app that is still sending an answer finishes it later, in a daemon thread.
        deadline = time.monotonic() + _CLOSE_SECONDS
        for thread in connections:
            thread.join(max(0.0, deadline - time.monotonic()))

    def intercepts(self, host: str, port: int | None) -> bool:
        """Whether a connection to this host and port, opened now, is intercepted."""
        if not self._is_open or guard.allows_direct_connections():
            return False
        if self.hosts.role(host, port) is not None:
            return True
        name = without_port(host) if port in (None, 443) else f"{without_port(host)}:{port}"
        if name not in self._hosts_of_clients:
            if is_loopback(host) or not call_stack.contains_ibms_client():
                return False
            self._hosts_of_clients.add(name)
        return True

    def connect(self, host: str, port: int | None) -> socket.socket | None:
        """The client's end of a socket pair whose other end the app serves; None if the host is not intercepted."""
        if not self.intercepts(host, port):
            return None
        server_end, client_end = (_Socket(fileno=end.detach()) for end in _socket.socketpair())
        environ = {IBMS_CLIENT: call_stack.contains_ibms_client()}
        thread = threading.Thread(target=self._serve, args=(server_end, host, environ), name=f"wml {host}", daemon=True)
        with self._lock:
            self._connections[thread] = server_end
        thread.start()
        return client_end

    def _serve(self, sock: socket.socket, host: str, environ: dict[str, Any]) -> None:
        # This import loads Python's package http, which must not be loaded before requests: a suite that runs pytest
        # in its own process removes modules from sys.modules after each test, and http would keep the old ones.
        from pytest_wml.interception.wire import Conversation

        try:
            with sock:
                Conversation(sock, self._app, host, self._crashed, environ).run()
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def check(self, host: Any, port: Any) -> None:
        """Refuse a name lookup, connection or tunnel to one of IBM's hosts that bypasses the interception.

        Raises:
            NotThroughTheDoor: the host is one of IBM's.
        """
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if not isinstance(name, str) or not self.intercepts(name, port if isinstance(port, int) else None):
            return
        # pytest-socket resolves the names of --allow-hosts without connecting to them.
        if call_stack.is_called_by("pytest_socket"):
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not looked up in this mode")
        error = guard.refusal(name)
        self._refused(error)
        raise error

    def _intercept_urllib3(self) -> None:
        urllib3_connections.intercept(self._patches, self.connect)

    def _intercept_httpcore(self) -> None:
        # By the module's full name: a suite may have removed it and httpcore from sys.modules.
        from pytest_wml.interception.httpcore_connections import intercept

        intercept(self._patches, self.connect, self.intercepts)

    def _bypass_vcr(self) -> None:
        vcr_bypass.install(self._patches, self.intercepts)

    def _after_guarded_imports(self) -> dict[str, Callable[[], None]]:
        return {
            "http.client": lambda: guard.check_http_client(self._guards, self.check),
            "ssl": lambda: guard.check_tls(self._guards, self.check),
            "aiohttp.connector": lambda: guard.check_aiohttp(self._guards, self.check),
            "vcr.cassette": self._bypass_vcr,
        }

    def _skip_awaits(self) -> None:
        waits.skip_awaits(self._patches, self._skipped, self._work, lambda: self._is_open)

    def _skipped(self, seconds: float) -> None:
        self.skipped_seconds += seconds


@contextlib.contextmanager
def open_door(app: WSGIApp, hosts: Hosts | None = None) -> Iterator[Door]:
    """Answer requests to IBM's hosts with a WSGI app inside the with block.

    A sleep of IBM's client takes no time, or as long as an embedded service needs to load the model.
    """
    door = Door(app, hosts, work=getattr(app, "wait_for_loads", _no_work))
    door.open()
    try:
        yield door
    finally:
        door.close()
