"""What a report tells of a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_wml.reporting.notes import CheckNote, DeploymentNote, TestNote


@dataclass(frozen=True)
class Told:
    """A test and what pytest says of it.

    Args:
        note: what it checked.
        outcome: `passed`, `failed`, `skipped`, `xfailed`, `xpassed` or `unfinished`.
        seconds: of all its phases.
        message: why it failed or was skipped.
    """

    note: TestNote
    outcome: str
    seconds: float = 0.0
    message: str = ""

    @property
    def broken(self) -> tuple[CheckNote, ...]:
        """The checks that found something in a test that did not expect it."""
        return tuple(check for check in self.note.checks if check.found and self.outcome in ("failed", "unfinished"))


@dataclass(frozen=True)
class Recording:
    """A recording that answered.

    Args:
        name: of the deployment or test.
        date: of its oldest interaction.
        age: in words.
        source: `live` or `embedded`.
        answers: how many it gave.
    """

    name: str
    date: str
    age: str
    source: str
    answers: int


@dataclass(frozen=True)
class Report:
    """A whole run.

    Args:
        mode: `replay`, `embedded` or `live`.
        chosen_by: the option that chose it.
        at: when the run ended, UTC.
        versions: by name.
        tests: those that used WML, in the order in which they ended.
        deployments: of the run.
        recordings: that answered.
        requests: that were answered.
        live_calls: those of them that the service answered.
        waited: seconds of IBM's client's own waiting that were left out.
        doubts: what the embedded service warned of.
        faults: that were injected.
        outside: failures outside any test, and what is wrong with recordings.
        stopped: why the run ended early; empty where it did not.
    """

    mode: str
    chosen_by: str
    at: str
    versions: Mapping[str, str]
    tests: tuple[Told, ...] = ()
    deployments: tuple[DeploymentNote, ...] = ()
    recordings: tuple[Recording, ...] = ()
    requests: int = 0
    live_calls: int = 0
    waited: float = 0.0
    doubts: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    stopped: str = ""

    def count(self, outcome: str) -> int:
        """How many tests ended so."""
        return sum(test.outcome == outcome for test in self.tests)

    @property
    def checks(self) -> list[tuple[Told, CheckNote]]:
        """Every check with its test; broken ones first."""
        every = [(test, check) for test in self.tests for check in test.note.checks]
        return sorted(every, key=lambda pair: pair[1] not in pair[0].broken)

    @property
    def broken(self) -> int:
        """How many checks are broken."""
        return sum(len(test.broken) for test in self.tests)

    @property
    def holds(self) -> bool:
        """Whether nothing failed, inside a test or outside."""
        return not (self.broken or self.count("failed") or self.outside or self.stopped)
