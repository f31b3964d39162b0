"""What tells an embedded service from the real one, whatever address it is reached by."""

from __future__ import annotations

import functools
from importlib import metadata

HEADER = "X-Pytest-WML"
"""Named apart: a proxy in between puts its own name into `Server`."""


@functools.cache
def value() -> str:
    """What the header says: that the service is embedded, and in which release."""
    try:
        return f"embedded/{metadata.version('pytest-wml')}"
    except metadata.PackageNotFoundError:  # a working tree that was not installed
        return "embedded"
