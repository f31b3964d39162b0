"""Connections: accepted, served by a thread each, and brought to an end.

Not by a library, as measured in November 2026: cheroot 11.1 does the TLS handshake where it accepts, so that 20 silent
clients stop everybody; its ten threads take seven times as long for 64 scorings of three seconds. Werkzeug's server
closes the connection after each answer (11 ms a request in place of 0.15 ms). Both accept ambiguous requests.
"""

from __future__ import annotations

import contextlib
import ipaddress
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from pytest_wml.errors import BadOption
from pytest_wml.interception.wire import Conversation, Limits
from pytest_wml.interception.wsgi import WSGIApp

LIMITS = Limits(idle=75.0, head=10.0, body=30.0, unread=64 << 20)
MOST = 512
"""Connections at a time; further ones wait in the system's queue until another ends."""

_LULL, _READING, _LINGERING, _SHORTAGE = 0.25, 0.7, 1.0, 0.05
_SPEAK_TLS = b"This port speaks TLS: use https://\n"
_PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on one address of a host; port 0 is one that is free.

    Raises:
        BadOption: there is no such host here, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(MOST)
        except OSError:
            sock.close()
            raise
    except (OSError, OverflowError) as error:
        raise BadOption(
            f"The server cannot listen on {host}, port {port}.",
            reason=getattr(error, "strerror", None) or error,
            fix="choose another --port; 0, the default, takes one that is free",
        ) from None
    return sock


def is_local(sock: socket.socket) -> bool:
    """Whether only this machine can reach what listens on this socket."""
    return ipaddress.ip_address(sock.getsockname()[0].partition("%")[0]).is_loopback


class Server:
    """Answers the connections of a listening socket with a WSGI app, over TLS, in a thread each.

    Args:
        listener: bound and listening; closed by `stop`.
        context: the server's side of TLS.
        app: called from many threads.
        crashed: called with an exception that the app raised.
        limits: how long clients may take.
        most: connections at a time.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        app: WSGIApp,
        crashed: Callable[[Exception], None],
        limits: Limits = LIMITS,
        most: int = MOST,
    ) -> None:
        self._listener = listener
        self.port = int(listener.getsockname()[1])
        self._context = context
        self._app = app
        self._crashed = crashed
        self._limits = limits
        self._free = threading.BoundedSemaphore(most)
        self._stopping = threading.Event()
        self._ended = threading.Condition()
        self._connections: dict[ssl.SSLSocket, Conversation] = {}
        self._waker, self._woken = socket.socketpair()
        self._accepting = threading.Thread(target=self._accept, name="serve", daemon=True)

    def start(self) -> None:
        """Accept connections from now on."""
        self._listener.setblocking(False)
        self._accepting.start()

    def stop(self, patience: float = 8.0) -> bool:
        """Accept no more, finish what is in flight, close every connection; once.

        A client is told with its last answer that the connection ends; one that asks nothing for a moment
        is hung up on.

        Args:
            patience: seconds that answers in flight may still take.

        Returns:
            Whether all that was in flight was answered.
        """
        begun = time.monotonic()
        if self._stopping.is_set():
            return self._wait(begun)
        self._stopping.set()
        self._waker.send(b"\0")
        self._accepting.join()
        for sock in (self._listener, self._waker, self._woken):
            sock.close()
        for conversation in self._now().values():
            conversation.last = True
        self._wait(begun + _LULL)
        self._hang_up(socket.SHUT_RD, only_idle=True)
        self._wait(begun + _READING)
        # Uploads that are not all there by now. What has arrived can still be read, and answers be written.
        self._hang_up(socket.SHUT_RD)
        finished = self._wait(begun + patience)
        self._hang_up(socket.SHUT_RDWR)
        return finished

    def _now(self) -> dict[ssl.SSLSocket, Conversation]:
        with self._ended:
            return dict(self._connections)

    def _hang_up(self, how: int, only_idle: bool = False) -> None:
        for sock, conversation in self._now().items():
            if not (only_idle and conversation.answering):
                _shut(sock, how)

    def _wait(self, until: float) -> bool:
        with self._ended:
            return self._ended.wait_for(lambda: not self._connections, max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if self._free.acquire(timeout=0.1) and not self._accepted(selector):
                    self._free.release()

    def _accepted(self, selector: selectors.BaseSelector) -> bool:
        selector.select()
        try:
            sock, address = self._listener.accept()
        except BlockingIOError:  # it has gone again, or this is to stop
            return False
        except OSError:  # no more files may be open, which passes
            self._stopping.wait(_SHORTAGE)
            return False
        try:
            threading.Thread(target=self._serve, args=(sock, address), name="serve", daemon=True).start()
        except RuntimeError:  # no more threads may be started, likewise
            sock.close()
            self._stopping.wait(_SHORTAGE)
            return False
        return True

    def _serve(self, sock: socket.socket, address: Any) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as wrapped:
                    self._converse(wrapped, address)
        finally:
            sock.close()
            self._free.release()

    def _converse(self, sock: ssl.SSLSocket, address: Any) -> None:
        host, port = sock.getsockname()[:2]
        said = {"REMOTE_ADDR": address[0], "REMOTE_PORT": str(address[1]), "SERVER_PORT": str(port)}
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        conversation = Conversation(sock, self._app, authority, self._crashed, said, self._limits)
        with self._ended:
            conversation.last = self._stopping.is_set()
            self._connections[sock] = conversation
        try:
            # Here and not where connections are accepted: a client that is silent keeps nobody waiting.
            sock.settimeout(self._limits.head)
            if _greeted(sock) and conversation.run():
                _part(sock, conversation.unread)
        finally:
            with self._ended:
                del self._connections[sock]
                self._ended.notify_all()


def _greeted(sock: ssl.SSLSocket) -> bool:
    """Agree on TLS; whether that is what the client speaks."""
    if socket.socket.recv(sock, 1, socket.MSG_PEEK).isalpha():  # TLS begins with a control character
        socket.socket.sendall(sock, _PLAIN % (len(_SPEAK_TLS), _SPEAK_TLS))
        return False
    sock.do_handshake()
    return True


def _part(sock: ssl.SSLSocket, linger: bool) -> None:
    """Say goodbye in TLS without waiting for the client's; linger where it may not have read the answer yet."""
    with contextlib.suppress(OSError, ValueError):
        sock.settimeout(0.0)
        sock.unwrap()
    if not linger:
        return
    _shut(sock, socket.SHUT_WR)
    until = time.monotonic() + _LINGERING
    # Closed with unread bytes, the connection would be reset, and the answer lost on its way.
    with contextlib.suppress(OSError):
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            if not socket.socket.recv(sock, 1 << 16):
                return


def _shut(sock: socket.socket, how: int) -> None:
    # The socket's own, not that of TLS: that one forgets its keys, and would go on in plain text.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, how)
