"""Folders of this user, and of this package."""

from __future__ import annotations

import os
from pathlib import Path

IMPORTED_FROM = Path(__file__).parents[2]
"""Holds this package: what a child process needs on its path."""


def users_cache() -> Path:
    """The folder for what may be made again, of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-wml"
