"""How a training says how it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Takes one line of text, without its end.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """Loss and accuracy on the examples shown since the report before, after so many steps."""

    step: int
    loss: float
    accuracy: float


def silent(line: str) -> None:
    """Say nothing."""
    del line
