"""How much of a suite a run covered, which decides what a recording keeps."""

from __future__ import annotations

import enum


class SuitePart(enum.Enum):
    """How much of a suite ran."""

    ALL = "all"
    """Every test of the project."""
    USUAL = "usual"
    """What the project's configuration selects; some tests were deselected, skipped or failed."""
    CHOSEN = "chosen"
    """Folders, files or tests that the command line names."""
