"""Collects pytest's outcome of every test of a run, on the controller also from the workers of xdist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_wml.runner.report.run_report import ReportedTest

NOTE = "wml_note"
"""Attribute of a test's last report: its note as JSON."""
LONGEST = 20_000
"""Characters of a failure's text in a report."""
_WORST_FIRST = ("failed", "error", "xfailed", "skipped", "xpassed", "passed")


class Outcomes:
    """A pytest plugin that counts outcomes as pytest's last line does, and collects the tests for a report.

    Attributes:
        counts: pytest's word for an outcome (`failed`, `passed`, `error`, …) → number; plugins may add words.
        ran: node ids of the tests that ran.
        tests: tests that used WML, failed tests, and modules that could not be collected.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.counts: Counter[str] = Counter()
        self.ran: set[str] = set()
        self.tests: list[ReportedTest] = []
        self._config = config
        self._phases: dict[str, list[tuple[str, pytest.TestReport]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        word = self._config.hook.pytest_report_teststatus(report=report, config=self._config)[0]
        if word and getattr(report, "count_towards_summary", True):
            self.counts[word] += 1
            self.ran.add(report.nodeid)
        phases = self._phases.setdefault(report.nodeid, [])
        phases.append((word, report))
        if report.when != "teardown":
            return
        del self._phases[report.nodeid]
        if hasattr(report, NOTE) or any(phase.failed for _, phase in phases):
            self.tests.append(_reported(report, phases))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.passed:
            return
        self.counts["error" if report.failed else "skipped"] += 1
        if report.failed:
            from pytest_wml.runner.report.notes import TestNote
            from pytest_wml.runner.report.run_report import ReportedTest

            note = TestNote(report.nodeid or "collection")
            self.tests.append(ReportedTest(note, "error", message=report.longreprtext[:LONGEST], used_wml=False))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.counts["deselected"] += len(items)

    def failed_midway(self) -> Iterator[tuple[str, str]]:
        """Yield tests that failed and did not end (a crashed worker, an interrupted run), each with the reason."""
        for test, phases in self._phases.items():
            failed = [reason(phase) for _, phase in phases if phase.failed]
            if failed:
                yield test, "\n\n".join(failed)[:LONGEST]


def _reported(last: pytest.TestReport, phases: Sequence[tuple[str, pytest.TestReport]]) -> ReportedTest:
    from pytest_wml.runner.report.notes import TestNote
    from pytest_wml.runner.report.run_report import ReportedTest

    text = getattr(last, NOTE, None)
    note = TestNote.from_text(text) if text else TestNote(last.nodeid)
    # A plugin that repeats tests uses other words.
    outcome = min((word for word, _ in phases if word in _WORST_FIRST), key=_WORST_FIRST.index, default="passed")
    message = "\n\n".join(reason(phase) for _, phase in phases if phase.outcome != "passed")[:LONGEST]
    return ReportedTest(note, outcome, sum(phase.duration for _, phase in phases), message, used_wml=text is not None)


def reason(phase: pytest.TestReport) -> str:
    """The reason why a phase of a test did not pass."""
    return str(phase.longrepr[2]) if isinstance(phase.longrepr, tuple) else phase.longreprtext
