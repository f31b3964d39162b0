"""The door: connections to IBM's hosts end in this process, at a WSGI app."""

from __future__ import annotations

import _socket
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pytest_wml.door import guard, waits
from pytest_wml.door.guard import NotThroughTheDoor, passage
from pytest_wml.door.imports import AfterImport
from pytest_wml.door.patches import Patches
from pytest_wml.hosts import Hosts
from pytest_wml.wsgi import WSGIApp

__all__ = ["Door", "NotThroughTheDoor", "open_door", "passage"]

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket


def _ignore(error: Exception) -> None:
    del error


class Door:
    """Takes over connections to IBM's hosts and hands their HTTP to a WSGI app.

    Threads, async code and raw urllib3 are caught alike, because the connection is replaced and not the
    request. Hosts that are not IBM's are untouched.

    Args:
        app: answers; called from one thread a connection.
        hosts: which hosts are IBM's.
        skip_waits: whether IBM's client's own waiting takes no time.
        refused: told of a connection that was refused because the door does not carry it.
        crashed: told of an exception that the app let through.
    """

    def __init__(
        self,
        app: WSGIApp,
        hosts: Hosts | None = None,
        *,
        skip_waits: bool = True,
        refused: Callable[[Exception], None] = _ignore,
        crashed: Callable[[Exception], None] = _ignore,
    ) -> None:
        self._app = app
        self.hosts = hosts or Hosts()
        self.skipped_seconds = 0.0
        self._skip_waits = skip_waits
        self._refused = refused
        self._crashed = crashed
        self._patches = Patches()
        self._handed_out: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._watch = AfterImport(
            {
                "urllib3.connection": self._lead_urllib3,
                "httpcore": self._lead_httpcore,
                "http.client": self._close_tunnels,
                "asyncio": self._skip_awaits,
            }
        )

    def open(self) -> None:
        """Take connections over from now on, also those of libraries that are imported later."""
        guard.close_other_ways(self._patches, self._check)
        if self._skip_waits:
            waits.skip(self._patches, self._skipped)
        self._watch.install()

    def close(self) -> None:
        """Put everything back and close the sockets that were handed out."""
        self._watch.remove()
        self._patches.undo()
        with self._lock:
            for sock in self._handed_out:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._handed_out.clear()

    def connect(self, host: str, port: int | None) -> socket.socket | None:
        """One end of a socket pair whose other end is answered; None for a host that is not IBM's."""
        if guard.passing() or not self._is_ibms(host, port):
            return None
        ours, theirs = (_Socket(fileno=end.detach()) for end in _socket.socketpair())
        with self._lock:
            self._handed_out.add(ours)
        thread = threading.Thread(target=self._serve, args=(ours, host), name=f"wml {host}", daemon=True)
        thread.start()
        return theirs

    def _lead_urllib3(self) -> None:
        from pytest_wml.door import through_urllib3

        through_urllib3.lead(self._patches, self.connect)

    def _lead_httpcore(self) -> None:
        from pytest_wml.door import through_httpcore

        through_httpcore.lead(self._patches, self.connect)

    def _close_tunnels(self) -> None:
        guard.close_tunnels(self._patches, self._check)

    def _skip_awaits(self) -> None:
        if self._skip_waits:
            waits.skip_awaits(self._patches, self._skipped)

    def _check(self, host: Any, port: Any = None) -> None:
        """Refuse a look-up, connection or tunnel that the door does not carry."""
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        number = port if isinstance(port, int) else None
        if isinstance(name, str) and not guard.passing() and self._is_ibms(name, number):
            error = guard.refusal(name)
            self._refused(error)
            raise error

    def _serve(self, sock: socket.socket, host: str) -> None:
        # http.server is loaded with the first connection: a project without WML does not pay for it.
        from pytest_wml.door.wire import Conversation

        Conversation(sock, self._app, host, self._crashed)
        with self._lock:
            self._handed_out.discard(sock)

    def _is_ibms(self, host: str, port: int | None) -> bool:
        return self.hosts.role(host, port) is not None

    def _skipped(self, seconds: float) -> None:
        self.skipped_seconds += seconds


@contextlib.contextmanager
def open_door(app: WSGIApp, hosts: Hosts | None = None) -> Iterator[Door]:
    """A door that is open inside a with block."""
    door = Door(app, hosts)
    door.open()
    try:
        yield door
    finally:
        door.close()
