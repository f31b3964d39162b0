"""How an embedded service makes itself known: by its name in messages and by a header, whatever its address."""

from __future__ import annotations

import functools
from importlib import metadata

EMBEDDED = "pytest-wml's embedded service"
"""Named in each message of a refusal that IBM's service may not make."""
HEADER = "X-Pytest-WML"
"""A header of its own: a proxy in between puts its own name into `Server`."""


@functools.cache
def header_value() -> str:
    """The value of the header: that the service is embedded, and its release."""
    try:
        return f"embedded/{metadata.version('pytest-wml')}"
    except metadata.PackageNotFoundError:  # a working tree that was not installed
        return "embedded"
