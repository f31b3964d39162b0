"""Intercepts connections of urllib3, which requests and ibm_boto3 use too."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from pytest_wml.interception.patches import Patches

Connect = Callable[[str, int | None], "socket.socket | None"]


def intercept(patches: Patches, connect: Connect) -> None:
    """Replace `connect` of urllib3's HTTPS connections.

    Args:
        patches: records the replaced attributes.
        connect: returns one end of a socket pair for an intercepted host and port, else None.
    """
    # Not `import urllib3.connection`: the package is still being loaded when this is called.
    from urllib3.connection import HTTPSConnection

    def replacement(before: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(before)
        def connect_or_intercept(self: Any) -> None:
            # With a proxy, `host` is the proxy; the tunnel's host is the one in the user's URL.
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

        return connect_or_intercept

    patches.replace(HTTPSConnection, "connect", replacement)
