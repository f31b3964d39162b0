"""Every name that is looked up or connected to, checked before it is.

Loaded at every start of pytest.
"""

from __future__ import annotations

import _socket
import functools
import socket
from collections.abc import Callable
from typing import Any

from pytest_wml.interception.patches import Patches

Check = Callable[[Any, Any], None]

# Saved now, because pytest-socket's --disable-socket replaces it later.
_Socket = socket.socket


def guard(patches: Patches, check: Check) -> None:
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
