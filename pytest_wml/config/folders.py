"""Locations of this package and of the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

IMPORTED_FROM = Path(__file__).parents[2]
"""The folder that contains this package; a child process needs it in its module path."""


def users_cache() -> Path:
    """The user's cache folder for files that can be regenerated."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-wml"
