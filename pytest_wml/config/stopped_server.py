"""What a shell still says of a `pytest-wml serve` that has stopped, and how that shows."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.wml.hosts import is_loopback

TRUST_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where requests, OpenSSL, curl and Node look for authorities to trust; each a PEM file."""
VERIFY_VARIABLES = ("WML_CLIENT_VERIFY_REQUESTS", "WX_CLIENT_VERIFY_REQUESTS")
"""Where IBM's two clients look: a switch, or a PEM file."""
_CREDENTIALS = ("WML_URL", "WML_USERNAME", "WML_APIKEY", "WML_INSTANCE_ID", "WML_VERSION", "WML_SPACE_ID")
EXPORTED = (*_CREDENTIALS, *VERIFY_VARIABLES, *TRUST_VARIABLES)
"""The variables that the server says to export."""
USERNAME = "embedded"
"""The user that it says to export."""
_SECONDS = 1.0


class Trace(NamedTuple):
    """What shows, and what to do."""

    problem: str
    fix: str


def unset(names: Iterable[str] = EXPORTED) -> str:
    """The line for a shell that takes the exports back."""
    return f"unset {' '.join(names)}"


def lost_authority(environ: Mapping[str, str]) -> Trace | None:
    """That a variable names a file of authorities that does not exist; requests fails with it whatever it asks."""
    for name in (*TRUST_VARIABLES[:3], *VERIFY_VARIABLES):
        path = environ.get(name, "")
        if os.path.isabs(path) and not os.path.exists(path):
            problem = f"{name} names a file of trusted authorities that does not exist: {path}."
            return Trace(problem, _way_back(environ) or f"unset {name}, or give the path of a PEM file")
    return None


def gone(url: str, environ: Mapping[str, str]) -> Trace | None:
    """That nothing listens at a port of this machine."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if not is_loopback(host):
        return None
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except ConnectionRefusedError:
        fix = _way_back(environ) or "start what is to listen there, or correct WML_URL"
        return Trace(f"Nothing listens at {url.rstrip('/')}.", fix)
    except OSError:
        return None
    return None


def _way_back(environ: Mapping[str, str]) -> str:
    """What to do where the environment is the server's."""
    if environ.get("WML_USERNAME") != USERNAME:
        return ""
    names = [name for name in EXPORTED if environ.get(name)]
    return f"was pytest-wml serve stopped? start it again and paste its lines, or take them back:\n{unset(names)}"
