"""What the sample network is trained with, and how its training reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

# Takes one line of text, without its end.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        seed: of the weights, the order of the examples, their shifts and the dropout.
        batch_size: examples a step.
        examples: how many are shown in all, each time shifted anew.
        report_every: steps between two reports.
        learning_rate: at the start; it falls to zero along half a cosine.
        largest_shift: pixels that an example is moved by at most, up or down and left or right.
    """

    seed: int = 0
    batch_size: int = 128
    examples: int = 60_000
    report_every: int = 10
    learning_rate: float = 0.004
    largest_shift: int = 1

    @property
    def steps(self) -> int:
        """Number of batches; the last one may be smaller."""
        return -(-self.examples // self.batch_size)

    def as_json(self) -> dict[str, Any]:
        """Give a value that ``json.dumps`` takes."""
        return asdict(self)


@dataclass(frozen=True)
class TrainingReport:
    """Loss and accuracy on the examples shown since the report before, after so many steps."""

    step: int
    loss: float
    accuracy: float


def silent(line: str) -> None:
    """Say nothing."""
    del line
