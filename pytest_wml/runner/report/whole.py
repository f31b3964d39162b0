"""What a report tells of a whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_wml.runner.report.notes import CheckNote, DeploymentNote, TestNote

_FAILED = ("failed", "error", "unfinished")
_PYTESTS_ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "error")
"""The words of pytest's last line; those of plugins come after them."""


@dataclass(frozen=True)
class Told:
    """A test and what pytest says of it.

    Args:
        note: what it checked.
        outcome: `passed`, `failed`, `error`, `skipped`, `xfailed`, `xpassed` or `unfinished`.
        seconds: of all its phases.
        message: why it failed or was skipped.
        used_wml: whether it had to do with WML; others are kept only where they failed.
    """

    note: TestNote
    outcome: str
    seconds: float = 0.0
    message: str = ""
    used_wml: bool = True

    @property
    def failed(self) -> bool:
        """Whether it makes the run fail."""
        return self.outcome in _FAILED

    @property
    def broken(self) -> tuple[CheckNote, ...]:
        """The checks that found something in a test that did not expect it."""
        return tuple(check for check in self.note.checks if check.found and self.failed)


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
        exit_status: pytest's; 0 where the run passed.
        counts: how often each outcome came, by pytest's word for it.
        ran: how many tests ran.
        tests: those that used WML and those that failed, in the order in which they ended.
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
    exit_status: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    ran: int = 0
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

    @property
    def headline(self) -> str:
        """How the run ended, with the counts of pytest's last line."""
        if self.stopped:
            return f"Run not finished: {self.counted}"
        unexplained = self.exit_status and not (self.counts.get("failed") or self.counts.get("error"))
        if unexplained and self.ran:
            return f"Run failed (exit status {self.exit_status}): {self.counted}"
        return self.counted[:1].upper() + self.counted[1:]

    @property
    def counted(self) -> str:
        """Tests by outcome, as in pytest's last line."""
        return ", ".join(self._counted()) if self.ran or self.counts.get("error") else self._nothing_ran()

    def _counted(self) -> Iterator[str]:
        others = (word for word in self.counts if word not in _PYTESTS_ORDER)
        for word in (*_PYTESTS_ORDER, *others):
            if number := self.counts.get(word):
                yield f"{number} {word}{'s' if word == 'error' and number > 1 else ''}"

    def _nothing_ran(self) -> str:
        left_out = ", ".join(self._counted())
        return f"no tests ran ({left_out})" if left_out else "no tests ran"

    @property
    def failures(self) -> tuple[Told, ...]:
        """The tests that failed, with or without WML, and the modules that could not be collected."""
        return tuple(test for test in self.tests if test.failed)

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
        """Whether the run passed, as pytest says."""
        return not self.exit_status
