"""What pytest's hooks do in a run that has to do with WML; loaded with the first of them that finds it has begun."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pytest_wml.config import options
from pytest_wml.runner import deployment_choice, error_reports, failures, marker, progress, report_records, requesters
from pytest_wml.runner import summary as report
from pytest_wml.runner.deployment_choice import parametrize
from pytest_wml.runner.failures import after_the_end, of_collecting, of_fixture, of_worker
from pytest_wml.runner.marker import skip
from pytest_wml.runner.report_records import listen
from pytest_wml.runner.session import Run
from pytest_wml.runner.standby import STANDBY

__all__ = [
    "after_the_end",
    "at_the_end",
    "header",
    "listen",
    "of_collecting",
    "of_fixture",
    "of_test",
    "of_worker",
    "parametrize",
    "skip",
    "summary",
    "tested",
    "testing",
]


def header(run: Run) -> Iterator[str]:
    """What the run says above the tests: its options, and what is inferred about its models."""
    yield from options.header(run.settings)
    yield from (f"wml: {line}" for line in report.models(run))


@contextlib.contextmanager
def testing(run: Run, item: pytest.Item) -> Iterator[None]:
    """A test runs inside."""
    run.home = deployment_choice.deployment_of(item)
    report_records.begin(item, run)
    with run.faulty(marker.scripted(item), item.nodeid):
        yield


def tested(run: Run, item: pytest.Item) -> None:
    """A test has ended."""
    run.test_ended(item.nodeid, requesters.fixtures(item, run.home))
    run.ended[run.home] += 1


def of_test(run: Run, item: pytest.Item, call: pytest.CallInfo[None], made: pytest.TestReport) -> pytest.TestReport:
    """The report of a test, with what we have to say."""
    progress.end(item.config)
    told = failures.of_test(run, made, call)
    if told.outcome == "skipped" and not marker.skipped_by_us(told):
        item.config.stash[STANDBY].ran.left_out = True
    failures.stop(item.session, run)
    return report_records.of_test(item, call, told, run)


def at_the_end(session: pytest.Session, run: Run) -> None:
    """Save, judge and publish."""
    progress.end(session.config)
    failures.at_the_end(session, run)
    if report_records.wanted(run):
        from pytest_wml.runner import publishing  # only here: few want it

        publishing.at_the_end(session, run)
    error_reports.shorten(session.config)


def summary(terminal: pytest.TerminalReporter, config: pytest.Config, run: Run) -> None:
    """What the run says below the tests; nothing where nothing was asked."""
    lines = [*report.summary(run), *failures.lines(run), *report_records.lines(config)]
    if lines:
        terminal.section("wml")
        for line in lines:
            terminal.write_line(line)
    for command in report_records.commands(config):
        terminal.write_line(command)
