"""No byte leaves for IBM by a way that the door does not carry."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import socket
from collections.abc import Callable, Iterator
from typing import Any

from pytest_wml.door.patches import Patches
from pytest_wml.errors import WMLTestError

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


def close_other_ways(patches: Patches, check: Callable[[Any, Any], None]) -> None:
    """Check every name that is looked up.

    Args:
        patches: remembers what to put back.
        check: raises for a host (and port) of IBM's.
    """

    def by_name(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            check(host, args[0] if args else kwargs.get("port"))
            return before(host, *args, **kwargs)

        return look_up

    for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patches.replace(socket, function, by_name)


def close_tunnels(patches: Patches, check: Callable[[Any, Any], None]) -> None:
    """Check every tunnel that http.client asks a proxy for; imported only once http.client has been."""
    from http.client import HTTPConnection

    def tunnel(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def open_tunnel(self: Any) -> Any:
            check(self._tunnel_host, self._tunnel_port)
            return before(self)

        return open_tunnel

    patches.replace(HTTPConnection, "_tunnel", tunnel)
