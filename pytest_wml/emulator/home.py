"""Where a service lives: its files, its store, its key."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_wml.emulator.state.journal import Store


@dataclass(frozen=True)
class Home:
    """What a service is given to live in."""

    contents: Path
    """The folder of what was uploaded."""
    scratch: Path
    """The folder of unpacked models; empty, and as short-lived as the process."""
    key: bytes = field(repr=False)
    """What tokens are signed with."""
    store: Store | None
    """None where nothing outlives the service."""
    close: Callable[[], None]


def temporary(folder: Path | None) -> Home:
    """A home that closing removes, in a folder of its own.

    Args:
        folder: where to make it; the system's folder for such things by default.
    """
    home = Path(tempfile.mkdtemp(prefix="embedded-wml-", dir=folder))
    scratch = home / "models"
    scratch.mkdir()

    def close() -> None:
        shutil.rmtree(home, ignore_errors=True)

    return Home(home / "contents", scratch, new_key(), None, close)


def new_key() -> bytes:
    return secrets.token_bytes(32)
