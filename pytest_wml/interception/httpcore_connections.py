"""Intercepts connections of httpcore, which httpx uses: sync, asyncio and trio.

Imported only after httpcore itself.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
from httpcore._async.connection import AsyncHTTPConnection
from httpcore._async.http_proxy import AsyncHTTPProxy
from httpcore._backends.auto import AutoBackend
from httpcore._backends.sync import SyncStream
from httpcore._sync.connection import HTTPConnection
from httpcore._sync.http_proxy import HTTPProxy

from pytest_wml.interception.patches import Patches

Connect = Callable[[str, int | None], "socket.socket | None"]
Intercepts = Callable[[str, int | None], bool]


def intercept(patches: Patches, connect: Connect, intercepts: Intercepts) -> None:
    """Replace `connect_tcp` of httpcore's network backends, and `create_connection` of its proxy pools.

    Args:
        patches: records the replaced attributes.
        connect: returns one end of a socket pair for an intercepted host and port, else None.
        intercepts: whether a host and port are intercepted.
    """
    patches.replace(httpcore.SyncBackend, "connect_tcp", functools.partial(_sync, connect))
    for backend in (AutoBackend, httpcore.AnyIOBackend, httpcore.TrioBackend):
        patches.replace(backend, "connect_tcp", functools.partial(_async, connect))
    for pool, direct in (
        (HTTPProxy, HTTPConnection),
        (httpcore.SOCKSProxy, HTTPConnection),
        (AsyncHTTPProxy, AsyncHTTPConnection),
        (httpcore.AsyncSOCKSProxy, AsyncHTTPConnection),
    ):
        patches.replace(pool, "create_connection", functools.partial(_without_proxy, intercepts, direct))


def _sync(connect: Connect, before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def connect_tcp(self: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        sock = connect(host, port)
        return before(self, host, port, *args, **kwargs) if sock is None else _Stream(sock)

    return connect_tcp


def _async(connect: Connect, before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    async def connect_tcp(self: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        sock = connect(host, port)
        return await before(self, host, port, *args, **kwargs) if sock is None else _AsyncStream(sock)

    return connect_tcp


def _without_proxy(intercepts: Intercepts, direct: Any, before: Callable[..., Any]) -> Callable[..., Any]:
    """Connect directly to an intercepted host; a proxy pool would first open a tunnel through the proxy."""

    @functools.wraps(before)
    def create_connection(self: Any, origin: Any) -> Any:
        if not intercepts(origin.host.decode("ascii"), origin.port):
            return before(self, origin)
        return direct(origin=origin, ssl_context=self._ssl_context, network_backend=self._network_backend)

    return create_connection


class _Stream(SyncStream):
    """A stream within the process, which needs no TLS."""

    def start_tls(self, *args: Any, **kwargs: Any) -> _Stream:
        return self


class _AsyncStream(httpcore.AsyncNetworkStream):
    """An asynchronous stream over one end of a socket pair, which needs no TLS."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return bytes(await _when_ready(lambda: self._sock.recv(max_bytes), self._sock, "readable", timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        while left:
            left = left[await _when_ready(lambda: self._sock.send(left), self._sock, "writable", timeout) :]  # noqa: B023 - awaited before `left` changes

    async def aclose(self) -> None:
        self._sock.close()

    async def start_tls(self, *args: Any, **kwargs: Any) -> _AsyncStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._sock if info == "socket" else None


async def _when_ready(attempt: Callable[[], Any], sock: socket.socket, state: str, timeout: float | None) -> Any:
    """The result of a non-blocking call, repeated each time the socket is ready."""
    import anyio  # httpcore requires it for async use only

    # anyio 4.7 renamed these functions.
    wait: Callable[[Any], Awaitable[None]] = getattr(anyio, f"wait_{state}", None) or getattr(
        anyio, f"wait_socket_{state}"
    )
    try:
        with anyio.fail_after(timeout):
            while True:
                try:
                    return attempt()
                except BlockingIOError:
                    await wait(sock)
    except TimeoutError as error:
        kind = httpcore.ReadTimeout if state == "readable" else httpcore.WriteTimeout
        raise kind(str(error)) from error
