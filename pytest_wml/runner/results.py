"""The results of a run: failed tests, errors outside tests, checks, and findings about recordings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wml.contract import Result
    from pytest_wml.runner.staleness import RecordingFinding


class ExecutedTests:
    """The tests that ran in this process, or in all processes of the run.

    Attributes:
        collected: collected files.
        tests: number of tests that ended.
        left_out: whether a test was deselected, or skipped for a reason other than the mode.
    """

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.tests = 0
        self.left_out = False

    def as_json(self) -> dict[str, Any]:
        """JSON to send from an xdist worker to the controller."""
        return {"collected": sorted(self.collected), "tests": self.tests, "left_out": self.left_out}

    def add(self, form: dict[str, Any]) -> None:
        """Add the tests of another process."""
        self.collected.update(form["collected"])
        self.tests += form["tests"]
        self.left_out |= form["left_out"]


class Results:
    """The results of this process.

    Attributes:
        started: time of the start, in seconds since the epoch.
        executed: the tests that ran.
        failed: node ids of failed tests and modules.
        skipped: node ids of skipped tests.
        errors: failures outside any test: in a conftest, after the last test.
        checks: results of the checks of `wml_contract`, for a report.
        findings: too old or unused recordings.
    """

    def __init__(self) -> None:
        self.started = time.time()
        self.executed = ExecutedTests()
        self.failed: set[str] = set()
        self.skipped: set[str] = set()
        self.errors: list[Exception] = []
        self.checks: list[Result] = []
        self.findings: list[RecordingFinding] = []
