"""Detects environment variables of a `pytest-wml serve` that has stopped."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.wml.hosts import is_loopback

TRUST_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Variables of requests, OpenSSL, curl and Node for a PEM file of trusted certificate authorities."""
VERIFY_VARIABLES = ("WML_CLIENT_VERIFY_REQUESTS", "WX_CLIENT_VERIFY_REQUESTS")
"""Variables of IBM's two clients for verification: a switch, or a PEM file."""
_CREDENTIALS = ("WML_URL", "WML_USERNAME", "WML_APIKEY", "WML_INSTANCE_ID", "WML_VERSION", "WML_SPACE_ID")
EXPORTED = (*_CREDENTIALS, *VERIFY_VARIABLES, *TRUST_VARIABLES)
"""The variables in the export lines of the server."""
USERNAME = "embedded"
"""The user name in the export lines of the server."""
_SECONDS = 1.0


class StoppedServer(NamedTuple):
    """Problem and fix."""

    problem: str
    fix: str


def unset(names: Iterable[str] = EXPORTED) -> str:
    """The shell command that unsets the exported variables."""
    return f"unset {' '.join(names)}"


def lost_authority(environ: Mapping[str, str]) -> StoppedServer | None:
    """The problem that a variable names a missing file of authorities, with which every request fails; else None."""
    for name in (*TRUST_VARIABLES[:3], *VERIFY_VARIABLES):
        path = environ.get(name, "")
        if os.path.isabs(path) and not os.path.exists(path):
            problem = f"{name} names a file of trusted authorities that does not exist: {path}."
            return StoppedServer(problem, _fix_of_exports(environ) or f"unset {name}, or give the path of a PEM file")
    return None


def gone(url: str, environ: Mapping[str, str]) -> StoppedServer | None:
    """The problem that no server listens at a port of this machine; else None."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if not is_loopback(host):
        return None
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except ConnectionRefusedError:
        fix = _fix_of_exports(environ) or "start the server, or correct WML_URL"
        return StoppedServer(f"No server listens at {url.rstrip('/')}.", fix)
    except OSError:
        return None
    return None


def _fix_of_exports(environ: Mapping[str, str]) -> str:
    """The fix if the variables come from the server; else empty."""
    if environ.get("WML_USERNAME") != USERNAME:
        return ""
    names = [name for name in EXPORTED if environ.get(name)]
    return f"was pytest-wml serve stopped? start it again and paste its lines, or unset the variables:\n{unset(names)}"
