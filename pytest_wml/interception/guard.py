"""No byte leaves for IBM by a way that the door does not carry."""

from __future__ import annotations

import _socket
import contextlib
import contextvars
import functools
import inspect
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from pytest_wml.errors import WMLTestError
from pytest_wml.interception.patches import Patches

Check = Callable[[Any, Any], None]
"""Raises for a host and port of IBM's."""

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket

_passing: contextvars.ContextVar[bool] = contextvars.ContextVar("pytest_wml_passing", default=False)


class NotThroughTheDoor(WMLTestError):
    """Something tried to reach IBM by a way that cannot be recorded or replayed."""


@contextlib.contextmanager
def passage() -> Iterator[None]:
    """Let this context connect to IBM: for the live gateway, and nobody else."""
    token = _passing.set(True)
    try:
        yield
    finally:
        _passing.reset(token)


def passing() -> bool:
    """Whether this context may connect to IBM."""
    return _passing.get()


def refusal(host: str) -> NotThroughTheDoor:
    """The error for a connection to one of IBM's hosts that the door does not carry."""
    return NotThroughTheDoor(
        f"A connection to {host} was refused: it would leave this process for IBM.",
        known="only requests, urllib3, httpx and clients built on them are answered in this mode",
        fix="use one of those, or run with --wml=live if the request is meant for the service",
    )


def check_names(patches: Patches, check: Check) -> None:
    """Check every name that is looked up or connected to.

    Args:
        patches: remembers what to put back.
        check: raises for a host (and port) of IBM's.
    """
    # Below `socket.getaddrinfo`: that one is replaced by other plugins, and held by whoever imported it by name.
    patches.replace(_socket, "getaddrinfo", functools.partial(_by_name, check))
    for function in ("gethostbyname", "gethostbyname_ex"):
        patches.replace(socket, function, functools.partial(_by_name, check))
    patches.replace(socket, "create_connection", functools.partial(_by_address, check))
    for method in ("connect", "connect_ex"):
        patches.replace(_Socket, method, functools.partial(_by_socket, check))


def _by_name(check: Check, before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        check(host, args[0] if args else kwargs.get("port"))
        return before(host, *args, **kwargs)

    return look_up


def _by_address(check: Check, before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def create_connection(address: Any, *args: Any, **kwargs: Any) -> Any:
        check(*address[:2])
        return before(address, *args, **kwargs)

    return create_connection


def _by_socket(check: Check, before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def connect(self: Any, address: Any) -> Any:
        if isinstance(address, tuple) and len(address) > 1:  # a Unix socket's address is a path
            check(*address[:2])
        return before(self, address)

    return connect


def close_http_client(patches: Patches, check: Check) -> None:
    """Check http.client's connections before a proxy is asked for them; imported only once http.client has been."""
    from http.client import HTTPConnection

    def connect(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def check_and_connect(self: Any) -> Any:
            host, port = getattr(self, "_tunnel_host", None), getattr(self, "_tunnel_port", None)
            check(*((host, port) if host else (self.host, self.port)))
            return before(self)

        return check_and_connect

    def putrequest(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def check_and_put(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if url[:7].lower() == "http://":  # what a proxy is asked for without a tunnel
                check(urlsplit(url).hostname, urlsplit(url).port)
            return before(self, method, url, *args, **kwargs)

        return check_and_put

    patches.replace(HTTPConnection, "connect", connect)
    patches.replace(HTTPConnection, "putrequest", putrequest)


def close_tls(patches: Patches, check: Check) -> None:
    """Check the names that TLS is spoken to, whatever proxy or tunnel leads there; only once ssl is imported."""
    from ssl import SSLContext

    def wrap(before: Callable[..., Any]) -> Callable[..., Any]:
        position = list(inspect.signature(before).parameters).index("server_hostname") - 1

        @functools.wraps(before)
        def check_and_wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
            check(args[position] if len(args) > position else kwargs.get("server_hostname"), None)
            return before(self, *args, **kwargs)

        return check_and_wrap

    for method in ("wrap_socket", "wrap_bio"):
        patches.replace(SSLContext, method, wrap)


def close_aiohttp(patches: Patches, check: Check) -> None:
    """Check aiohttp's connections before its proxies and its own resolvers; only once aiohttp is imported."""
    from aiohttp.connector import BaseConnector

    def connect(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        async def check_and_connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
            check(req.url.host, req.url.port)
            return await before(self, req, *args, **kwargs)

        return check_and_connect

    patches.replace(BaseConnector, "connect", connect)
