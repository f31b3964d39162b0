"""How long software specifications live, read from `life_cycles.tsv`, which names the source of each step."""

from __future__ import annotations

import datetime
import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_wml.wml.tables import rows

_PLANNED = "removal planned"


class LifeCycleState(enum.Enum):
    """The state of a specification; the names are those that both clients look for."""

    SUPPORTED = "supported"
    DEPRECATED = "deprecated"
    CONSTRICTED = "constricted"
    RETIRED = "retired"


@dataclass(frozen=True)
class LifeCycleStep:
    """One step in the life of a specification.

    Attributes:
        state: from then on.
        what: happened, for people.
        basis: how it is known, in the words of FIDELITY.md.
        source: of the basis; empty for what is assumed.
        since: the first day; None where it is not known, and the step counts on every day.
        replacement: name of the specification that IBM advises; empty for none.
        planned: whether only the plan of a removal is known. The state stays: nobody has seen another one.
    """

    state: LifeCycleState
    what: str
    basis: str
    source: str
    since: datetime.date | None
    replacement: str
    planned: bool


@dataclass(frozen=True)
class Life:
    """The steps of a specification, oldest first; before the first one it is supported."""

    steps: tuple[LifeCycleStep, ...]

    def at(self, day: datetime.date) -> LifeCycleStep | None:
        """The last step up to a day; None before the first one."""
        return next((step for step in reversed(self.steps) if step.since is None or step.since <= day), None)

    def after(self, day: datetime.date) -> LifeCycleStep | None:
        """The first step that is to come after a day."""
        return next((step for step in self.steps if step.since is not None and step.since > day), None)

    def state(self, day: datetime.date) -> LifeCycleState:
        step = self.at(day)
        return step.state if step else LifeCycleState.SUPPORTED


@functools.cache
def life_of(name: str, *, cloud: bool) -> Life:
    """The life of the specification of this name.

    Args:
        cloud: whether in IBM Cloud; else on Cloud Pak for Data.
    """
    return Life(tuple(_steps(name, ("any", "cloud" if cloud else "cpd"))))


def _steps(name: str, places: tuple[str, str]) -> Iterator[LifeCycleStep]:
    lines = _lines()
    found = next((line for line in lines if _matches(name, line)), None)
    for line in lines:
        if found and line["specifications"] == found["specifications"] and line["where"] in places:
            planned = line["step"] == _PLANNED
            yield LifeCycleStep(
                state=LifeCycleState.SUPPORTED if planned else LifeCycleState(line["step"]),
                what=line["what"],
                basis=line["status"],
                source=line["source"],
                since=datetime.date.fromisoformat(line["since"]) if line["since"] else None,
                replacement=line["replacement"],
                planned=planned,
            )


def _matches(name: str, line: dict[str, str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in line["specifications"].split())


@functools.cache
def _lines() -> list[dict[str, str]]:
    return rows("life_cycles.tsv")
