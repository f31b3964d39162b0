"""Connections of urllib3, and so of requests, raw urllib3 and ibm_boto3, led through the door."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from pytest_wml.interception.patches import Patches

Connect = Callable[[str, int | None], "socket.socket | None"]


def lead(patches: Patches, connect: Connect) -> None:
    """Replace the connecting of urllib3's HTTPS connections.

    Args:
        patches: remembers what to put back.
        connect: gives one end of a socket pair for a host and port that are the door's, else None.
    """
    # Not `import urllib3.connection`: the package is still being loaded when the door gets its turn.
    from urllib3.connection import HTTPSConnection

    def through(before: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(before)
        def connect_or_lead(self: Any) -> None:
            # With a proxy set, `host` is the proxy's; the tunnel's end is what the user asked for.
            host, port = getattr(self, "_tunnel_host", None), getattr(self, "_tunnel_port", None)
            sock = connect(host or self.host, port if host else self.port)
            if sock is None:
                before(self)
                return
            if isinstance(self.timeout, (int, float)):
                sock.settimeout(self.timeout)
            self.sock = sock
            self.is_verified = True
            if getattr(self, "proxy", None) is not None:
                self.proxy_is_verified = True
                self._has_connected_to_proxy = True

        return connect_or_lead

    patches.replace(HTTPSConnection, "connect", through)
