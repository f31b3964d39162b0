"""Takes over the connections to IBM's hosts, and serves the app at their other end."""

from __future__ import annotations

import _socket
import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from pytest_wml.interception import beside_vcr, callers, guard, through_urllib3, waits
from pytest_wml.interception.guard import NotThroughTheDoor, passage
from pytest_wml.interception.patches import AfterImport, Patches
from pytest_wml.interception.wsgi import WSGIApp
from pytest_wml.wml.hosts import Hosts, is_loopback, without_port

__all__ = ["IBMS_CLIENT", "Door", "NotThroughTheDoor", "fails_closed", "open_door", "passage"]

IBMS_CLIENT = "pytest_wml.ibms_client"
"""Where the WSGI environ says whether the connection was asked for by one of IBM's WML clients."""

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket
_CLOSING = 2.0


# A process has one network: who would open a way to IBM asks whether somebody keeps it shut.
_closed: weakref.WeakSet[Door] = weakref.WeakSet()


def fails_closed() -> bool:
    """Whether a door is open in this process that lets nothing out to IBM."""
    return bool(_closed)


def _ignore(error: Exception) -> None:
    del error


def _no_work(seconds: float) -> bool:
    del seconds
    return True


class Door:
    """Takes over connections to IBM's hosts and hands their HTTP to a WSGI app.

    Threads, async code and raw urllib3 are caught alike, because the connection is replaced and not the
    request. IBM's hosts are those of IBM Cloud, those that are named, and every host that one of IBM's
    clients itself asks for: where a Cloud Pak for Data stands, and where its client guesses that a login
    may stand, only that client knows. This machine's own addresses are IBM's only where they are named.
    All other hosts are untouched.

    Args:
        app: answers; called from one thread a connection.
        hosts: which hosts are IBM's.
        skip_waits: whether IBM's client's own waiting takes no time, or as long as `work` takes.
        work: waits until what the client polls for has changed, at most the seconds that it is called with; returns
            whether nothing is left to wait for.
        fail_closed: whether ways to IBM that the door does not carry are refused.
        refused: told of a connection that was refused because the door does not carry it.
        crashed: told of an exception that the app let through.
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
        self._met: set[str] = set()
        self._served: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._watch = AfterImport(
            {"urllib3.connection": self._lead_urllib3, "httpcore": self._lead_httpcore}
            | ({"asyncio": self._skip_awaits} if skip_waits else {})
            | (self._after_guarded_imports() if fail_closed else {})
        )

    def open(self) -> None:
        """Take connections over from now on, also those of libraries that are imported later."""
        self._is_open = True
        if self._fail_closed:
            _closed.add(self)
            guard.check_names(self._guards, self.check)
        if self._skip_waits:
            waits.skip(self._patches, self._skipped, self._work, lambda: self._is_open)
        self._watch.install()

    def renew(self) -> None:
        """Refuse again what another plugin, putting back what it replaced, has set free."""
        self._guards.renew()

    def close(self) -> None:
        """Put everything back, close the connections that were handed out and wait for their threads."""
        self._is_open = False
        _closed.discard(self)
        self._watch.remove()
        self._guards.undo()
        self._patches.undo()
        with self._lock:
            served = dict(self._served)
        for sock in served.values():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        # An app in the middle of an answer ends it later, in a daemon thread.
        deadline = time.monotonic() + _CLOSING
        for thread in served:
            thread.join(max(0.0, deadline - time.monotonic()))

    def carries(self, host: str, port: int | None) -> bool:
        """Whether a connection to this host and port, asked for now, ends here."""
        if not self._is_open or guard.passing():
            return False
        if self.hosts.role(host, port) is not None:
            return True
        name = without_port(host) if port in (None, 443) else f"{without_port(host)}:{port}"
        if name not in self._met:
            if is_loopback(host) or not callers.ibms_client_asks():
                return False
            self._met.add(name)
        return True

    def connect(self, host: str, port: int | None) -> socket.socket | None:
        """One end of a socket pair whose other end is answered; None for a host that the door does not carry."""
        if not self.carries(host, port):
            return None
        ours, theirs = (_Socket(fileno=end.detach()) for end in _socket.socketpair())
        said = {IBMS_CLIENT: callers.ibms_client_asks()}
        thread = threading.Thread(target=self._serve, args=(ours, host, said), name=f"wml {host}", daemon=True)
        with self._lock:
            self._served[thread] = ours
        thread.start()
        return theirs

    def _serve(self, sock: socket.socket, host: str, said: dict[str, Any]) -> None:
        # It loads Python's package http, which must not be loaded before requests: a suite whose tests run pytest in
        # their own process takes modules out of sys.modules after each, and http would keep the old ones.
        from pytest_wml.interception.wire import Conversation

        try:
            with sock:
                Conversation(sock, self._app, host, self._crashed, said).run()
        finally:
            with self._lock:
                self._served.pop(threading.current_thread(), None)

    def check(self, host: Any, port: Any) -> None:
        """Refuse a look-up, connection or tunnel that the door does not carry."""
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if not isinstance(name, str) or not self.carries(name, port if isinstance(port, int) else None):
            return
        if callers.package_calls("pytest_socket"):  # it looks up what --allow-hosts names, and asks for nothing
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not looked up in this mode")
        error = guard.refusal(name)
        self._refused(error)
        raise error

    def _lead_urllib3(self) -> None:
        through_urllib3.lead(self._patches, self.connect)

    def _lead_httpcore(self) -> None:
        # By the module's full name: a suite may have taken it and httpcore out of sys.modules meanwhile.
        from pytest_wml.interception.through_httpcore import lead

        lead(self._patches, self.connect, self.carries)

    def _pass_vcr_by(self) -> None:
        beside_vcr.lead(self._patches, self.carries)

    def _after_guarded_imports(self) -> dict[str, Callable[[], None]]:
        return {
            "http.client": lambda: guard.close_http_client(self._guards, self.check),
            "ssl": lambda: guard.close_tls(self._guards, self.check),
            "aiohttp.connector": lambda: guard.close_aiohttp(self._guards, self.check),
            "vcr.cassette": self._pass_vcr_by,
        }

    def _skip_awaits(self) -> None:
        waits.skip_awaits(self._patches, self._skipped, self._work, lambda: self._is_open)

    def _skipped(self, seconds: float) -> None:
        self.skipped_seconds += seconds


@contextlib.contextmanager
def open_door(app: WSGIApp, hosts: Hosts | None = None) -> Iterator[Door]:
    """A door that is open inside a with block; IBM's client waits for the loads of an embedded service."""
    door = Door(app, hosts, work=getattr(app, "wait_for_loads", _no_work))
    door.open()
    try:
        yield door
    finally:
        door.close()
