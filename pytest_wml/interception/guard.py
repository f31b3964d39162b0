"""Refuses connections to IBM that cannot be intercepted."""

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
"""Raises an error if a host and port are IBM's."""

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket

_allowed: contextvars.ContextVar[bool] = contextvars.ContextVar("pytest_wml_direct_connections", default=False)


class NotThroughTheDoor(WMLTestError):
    """A connection to IBM was attempted that cannot be intercepted, and so not recorded or replayed."""


@contextlib.contextmanager
def direct_connections() -> Iterator[None]:
    """Allow connections to IBM inside the with block; for the live gateway only."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def allows_direct_connections() -> bool:
    """Whether the current context may connect to IBM."""
    return _allowed.get()


def refusal(host: str) -> NotThroughTheDoor:
    """The error for a connection to one of IBM's hosts that cannot be intercepted."""
    return NotThroughTheDoor(
        f"A connection to {host} was refused: it would leave this process for IBM.",
        known="only requests, urllib3, httpx and clients built on them are answered in this mode",
        fix="use one of those, or run with --wml=live if the live service must answer the request",
    )


def check_names(patches: Patches, check: Check) -> None:
    """Check every name lookup and every connection.

    Args:
        patches: records the replaced attributes.
        check: raises an error if a host and port are IBM's.
    """
    # Below `socket.getaddrinfo`, which other plugins replace and modules import by name.
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


def check_http_client(patches: Patches, check: Check) -> None:
    """Check http.client's connections before they reach a proxy; called only after http.client has been imported."""
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
            if url[:7].lower() == "http://":  # a request to a proxy without a tunnel
                check(urlsplit(url).hostname, urlsplit(url).port)
            return before(self, method, url, *args, **kwargs)

        return check_and_put

    patches.replace(HTTPConnection, "connect", connect)
    patches.replace(HTTPConnection, "putrequest", putrequest)


def check_tls(patches: Patches, check: Check) -> None:
    """Check the server names of TLS connections, also behind proxies; called only after ssl has been imported."""
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


def check_aiohttp(patches: Patches, check: Check) -> None:
    """Check aiohttp's connections before its proxies and resolvers; called only after aiohttp has been imported."""
    from aiohttp.connector import BaseConnector

    def connect(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        async def check_and_connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
            check(req.url.host, req.url.port)
            return await before(self, req, *args, **kwargs)

        return check_and_connect

    patches.replace(BaseConnector, "connect", connect)
