"""The results of a run: failed tests, errors outside tests, checks, findings about recordings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wml.contract import Result
    from pytest_wml.runner.staleness import Finding


class Ran:
    """What ran in this process, or in all processes of the run.

    Attributes:
        collected: files that were collected.
        tests: number of tests that ended.
        left_out: whether a test was deselected, or skipped for a reason of its own.
    """

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.tests = 0
        self.left_out = False

    def as_json(self) -> dict[str, Any]:
        """A form that travels from an xdist worker to the controller."""
        return {"collected": sorted(self.collected), "tests": self.tests, "left_out": self.left_out}

    def add(self, form: dict[str, Any]) -> None:
        """Add what ran in another process."""
        self.collected.update(form["collected"])
        self.tests += form["tests"]
        self.left_out |= form["left_out"]


class Results:
    """The results of this process.

    Attributes:
        started: when the run began, in seconds since the epoch.
        ran: what ran.
        failed: node ids of the tests and modules that failed.
        skipped: node ids of the tests that were skipped.
        errors: failures outside any test: in a conftest, after the last test.
        checks: results of the checks of `wml_contract`, for a report.
        findings: recordings that are too old or unused.
    """

    def __init__(self) -> None:
        self.started = time.time()
        self.ran = Ran()
        self.failed: set[str] = set()
        self.skipped: set[str] = set()
        self.errors: list[Exception] = []
        self.checks: list[Result] = []
        self.findings: list[Finding] = []
