"""Who else may talk to the server: nobody that another site has sent."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import Any

from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.wml.hosts import cloud_role, without_port


class OwnOnly:
    """A WSGI app in front of another: requests for another host, or from a page of another site, are refused.

    A name that a stranger controls can be made to point here (DNS rebinding), and a page of a stranger can
    send requests here from the browser of whoever runs the server: neither reaches the app.

    Args:
        names: the hosts that are this server, beside IBM Cloud's; without ports.
        any_address: whether every IP address may be this server's: it listens on all of this machine's.
    """

    def __init__(self, app: WSGIApp, names: Iterable[str], any_address: bool = False) -> None:
        self._app = app
        self._names = {name.lower().strip("[]") for name in names}
        self._any_address = any_address

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ["HTTP_HOST"]
        if not self._own(host):
            return _refused(start_response, "421 Misdirected Request", "foreign_host", "This server is another host.")
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin.lower() != f"https://{host.lower()}":
            return _refused(start_response, "403 Forbidden", "foreign_origin", "Pages of other sites are not served.")
        return self._app(environ, start_response)

    def _own(self, host: str) -> bool:
        name = without_port(host).strip("[]")
        if name in self._names or cloud_role(host) is not None:
            return True
        return self._any_address and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refused(start_response: Callable[..., Any], status: str, code: str, message: str) -> Iterable[bytes]:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    start_response(status, [("Content-Type", "application/json")])
    return [body]
