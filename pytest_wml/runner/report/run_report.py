"""The content of the report of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_wml.runner.report.notes import CheckNote, DeploymentNote, TestNote

_FAILED = ("failed", "error", "unfinished")
_PYTESTS_ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "error")
"""The outcomes in pytest's last line, in its order; outcomes of plugins come after them."""


@dataclass(frozen=True)
class ReportedTest:
    """A test with its outcome.

    Args:
        note: its checks and deployments.
        outcome: `passed`, `failed`, `error`, `skipped`, `xfailed`, `xpassed` or `unfinished`.
        seconds: of all its phases.
        message: the reason why it failed or was skipped.
        used_wml: whether it used WML; a report contains other tests only if they failed.
    """

    note: TestNote
    outcome: str
    seconds: float = 0.0
    message: str = ""
    used_wml: bool = True

    @property
    def failed(self) -> bool:
        """Whether it fails the run."""
        return self.outcome in _FAILED

    @property
    def broken(self) -> tuple[CheckNote, ...]:
        """The checks with findings, if the test failed."""
        return tuple(check for check in self.note.checks if check.found and self.failed)


@dataclass(frozen=True)
class ReportedRecording:
    """A replayed recording.

    Args:
        name: of the deployment or test.
        date: of its oldest interaction.
        age: in words.
        source: `live` or `embedded`.
        answers: number of requests that it answered.
    """

    name: str
    date: str
    age: str
    source: str
    answers: int


@dataclass(frozen=True)
class RunReport:
    """The report of a run.

    Args:
        mode: `replay`, `embedded` or `live`.
        chosen_by: the option that determined the mode.
        at: time of the end, UTC.
        versions: name of a program → version.
        exit_status: pytest's; 0 if the run passed.
        counts: pytest's word for an outcome → number.
        ran: number of tests that ran.
        tests: tests that used WML and failed tests, in the order in which they ended.
        deployments: of the run.
        recordings: replayed recordings.
        requests: number of answered requests.
        live_calls: number of requests that the live service answered.
        waited: skipped seconds of the sleeps of IBM's client.
        doubts: warnings of the embedded service.
        faults: injected faults.
        outside: failures outside any test, and findings about recordings.
        stopped: the reason why the run ended early; empty if it did not.
    """

    mode: str
    chosen_by: str
    at: str
    versions: Mapping[str, str]
    exit_status: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    ran: int = 0
    tests: tuple[ReportedTest, ...] = ()
    deployments: tuple[DeploymentNote, ...] = ()
    recordings: tuple[ReportedRecording, ...] = ()
    requests: int = 0
    live_calls: int = 0
    waited: float = 0.0
    doubts: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def headline(self) -> str:
        """The result of the run, with the counts of pytest's last line."""
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
    def failures(self) -> tuple[ReportedTest, ...]:
        """The failed tests, with or without WML, and the modules that could not be collected."""
        return tuple(test for test in self.tests if test.failed)

    @property
    def checks(self) -> list[tuple[ReportedTest, CheckNote]]:
        """Every check with its test; broken ones first."""
        every = [(test, check) for test in self.tests for check in test.note.checks]
        return sorted(every, key=lambda pair: pair[1] not in pair[0].broken)

    @property
    def broken(self) -> int:
        """The number of broken checks."""
        return sum(len(test.broken) for test in self.tests)

    @property
    def passed(self) -> bool:
        """Whether the run passed, by pytest's exit status."""
        return not self.exit_status
