"""No byte leaves for IBM by a way that the door does not carry."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import http.client
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


def close_other_ways(
    patches: Patches, is_ibms: Callable[[str, int | None], bool], refused: Callable[[WMLTestError], None]
) -> None:
    """Refuse name look-ups, connections and tunnels to IBM's hosts.

    Args:
        patches: remembers what to put back.
        is_ibms: whether a host (and port) is IBM's.
        refused: told of each refusal, since callers may swallow the error.
    """

    def check(host: Any, port: Any = None) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        number = port if isinstance(port, int) else None
        if isinstance(name, str) and not passing() and is_ibms(name, number):
            error = NotThroughTheDoor(
                f"A connection to {name} was refused: it would leave this process for IBM.",
                known="only requests, urllib3, httpx and clients built on them are answered in this mode",
                fix="use one of those, or run with --wml=live if the request is meant for the service",
            )
            refused(error)
            raise error

    def by_name(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            check(host, args[0] if args else kwargs.get("port"))
            return before(host, *args, **kwargs)

        return look_up

    def tunnel(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def open_tunnel(self: Any) -> Any:
            check(self._tunnel_host, self._tunnel_port)
            return before(self)

        return open_tunnel

    for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patches.replace(socket, function, by_name)
    patches.replace(http.client.HTTPConnection, "_tunnel", tunnel)
