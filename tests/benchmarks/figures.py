"""What a benchmark measured: samples of ours and of what stands beside it, and how the two compare."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Compare = Literal["ratio", "faster", "added", "itself"]
_SIGNS = {"ratio": " ×", "faster": " × faster"}


@dataclass
class Figure:
    """One line of the table.

    Args:
        what: was measured.
        unit: of the samples.
        ours: samples.
        beside: what stands beside it; empty for a figure that stands alone.
        theirs: samples of that, taken in turn with ours.
        compare: `ratio` ours / theirs, `faster` theirs / ours, `added` ours - theirs, `itself` ours alone.
        goal: to reach; None where the figure is only told.
        at_least: whether the goal is a floor, and not a ceiling.
    """

    what: str
    unit: str
    ours: list[float]
    beside: str = ""
    theirs: list[float] = field(default_factory=list)
    compare: Compare = "ratio"
    goal: float | None = None
    at_least: bool = False

    @property
    def values(self) -> list[float]:
        """The comparison, pair by pair where the samples were taken in pairs, else of the medians."""
        if self.compare == "itself":
            return self.ours
        pairs = list(zip(self.ours, self.theirs, strict=False))
        if len(self.ours) != len(self.theirs):
            pairs = [(statistics.median(self.ours), statistics.median(self.theirs))]
        how = {"ratio": lambda a, b: a / b, "faster": lambda a, b: b / a, "added": lambda a, b: a - b}[self.compare]
        return [how(a, b) for a, b in pairs]

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def compared(self) -> str:
        """The comparison, for a reader."""
        if self.compare == "itself":
            return ""
        if self.compare == "added":
            return f"{self.value:+.3g} {self.unit}"
        return f"{_short(self.value)}{_SIGNS[self.compare]}"

    @property
    def to_reach(self) -> str:
        """The goal, for a reader."""
        if self.goal is None:
            return "told"
        unit = _SIGNS.get(self.compare) or f" {self.unit}" + (" added" if self.compare == "added" else "")
        return f"{'≥' if self.at_least else '≤'} {self.goal:g}{unit}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def told(samples: list[float], unit: str) -> str:
    """Samples as their median and, of several, the least and the most."""
    if not samples:
        return ""
    median = f"{_short(statistics.median(samples))} {unit}"
    return median if len(samples) == 1 else f"{median} ({_short(min(samples))}–{_short(max(samples))})"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


@dataclass
class Measured:
    """A row: its figures, what limits them now, and under which conditions it was measured."""

    figures: list[Figure]
    limit: str
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Measured:
        figures = [Figure(**figure) for figure in form["figures"]]
        return cls(figures, form["limit"], form.get("notes", []))
