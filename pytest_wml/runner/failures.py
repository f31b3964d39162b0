"""Errors of ours in pytest's reports: one message, no traceback, in the test or fixture that caused them."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_wml.config.values import Mode
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.request_log import Requester
from pytest_wml.model.framework_log import without_loading
from pytest_wml.runner import error_reports, marker
from pytest_wml.runner.completeness import extent
from pytest_wml.runner.run import Run

_OF_LOADING = re.compile(r"\b(cuda|cudnn|cublas|gpu|tensorrt|illegal instruction)", re.IGNORECASE)
_INTERRUPTED = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def of_test(run: Run, report: pytest.TestReport, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """Put our errors into a test's report, also those that IBM's client swallowed or wrapped."""
    if report.when == "setup":
        # A test that is run again, by pytest-rerunfailures say, is judged by its last try.
        run.results.failed.discard(report.nodeid)
        run.results.skipped.discard(report.nodeid)
    errors: list[Exception] = [failure.error for failure in run.request_log.take_failures()]
    raised = ours(call.excinfo.value) if call.excinfo else None
    if raised is not None:
        errors.append(raised)
    expected = hasattr(report, "wasxfail") and report.outcome == "skipped"
    if errors and not expected:
        where = _place(call, run) if call.excinfo else ""
        report.longrepr = "\n".join(filter(None, [_text(errors), where]))
        report.outcome = "failed"
        error_reports.note(report, errors[0])
    elif call.excinfo and type(call.excinfo.value).__module__.startswith("pytest_wml."):
        error = call.excinfo.value
        error_reports.without_module(report, error)
        error_reports.note(report, error)
    _leave_out_loading(report, call, errors)
    _mask(run, report)
    if report.outcome == "failed":
        run.results.failed.add(report.nodeid)
    elif report.outcome == "skipped":
        run.results.skipped.add(report.nodeid)
    return report


def _leave_out_loading(report: pytest.TestReport, call: pytest.CallInfo[None], errors: list[Exception]) -> None:
    """Take out of the captured output what a framework said when it was loaded, unless it may explain the failure."""
    if not _may_be_of_loading(report, call, errors):
        report.sections = list(_without_loading(report))


def _may_be_of_loading(report: pytest.TestReport, call: pytest.CallInfo[None], errors: list[Exception]) -> bool:
    """Whether it may explain a failure: the service's, or one that speaks of a GPU."""
    if not report.failed:
        return False
    ibms = call.excinfo is not None and call.excinfo.type.__module__.startswith(("ibm_", "tensorflow", "keras"))
    return bool(errors) or ibms or bool(_OF_LOADING.search(str(report.longrepr)))


def _without_loading(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    for name, text in report.sections:
        rest = without_loading(text) if name.startswith("Captured stderr") else text
        if rest.strip() or not text.strip():
            yield name, rest


def _mask(run: Run, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Mask secrets, which pytest would show in captured output and among the values of a failed assertion."""
    if not (run.request_log.exchanges or run.configuration.knows_secrets):
        return
    if report.failed:
        error_reports.mask(report, run.configuration.secrets.mask)
    report.sections = [(name, run.configuration.secrets.mask(text)) for name, text in report.sections]


def _text(errors: Iterable[object]) -> str:
    """The first error whole, and how many others it brought about."""
    first, *others = dict.fromkeys(map(str, errors))
    more = f"\n({len(others)} more such errors followed)" if others else ""
    return first + more


def of_fixture(run: Run, definition: pytest.FixtureDef[Any], asker: Requester) -> None:
    """Fail a fixture whose requests nothing answered, for every test that uses it.

    Raises:
        WMLTestError: the first failure that this fixture caused.
    """
    mine = run.request_log.take_failures(asker)
    if not mine:
        return
    error = mine[0].error
    if definition.cached_result is not None:
        key = definition.cached_result[1]
        definition.cached_result = (None, key, (error, None))
    raise error from None


def of_collecting(run: Run, report: pytest.CollectReport, asker: Requester) -> pytest.CollectReport:
    """Fail the collection of a module whose import asked what nothing answered, or whose markers are wrong."""
    errors = [failure.error for failure in run.request_log.take_failures()]
    problems = [_text(errors)] if errors else []
    problems += marker.mistakes(report.result)
    if problems:
        report.outcome = "failed"
        report.longrepr = "\n".join(problems)
        report.result = []
        if errors:
            error_reports.note(report, errors[0])
    if report.outcome == "failed":
        run.results.failed.add(asker.where)
        _mask(run, report)
    return report


def at_the_end(session: pytest.Session, run: Run) -> None:
    """Save what was recorded, look after the recordings, and fail the run for what failed outside any test."""
    config = session.config
    run.take_refusals_of_children()
    clean_up(run)
    run.results.errors += [failure.error for failure in run.request_log.take_failures()]
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["pytest_wml"] = {
            "shard": run.recording.shard(run.results.failed).as_json() if run.recording.wanted else None,
            "leftover": [str(error) for error in run.results.errors],
            **({} if run.idle else {"tally": run.tally().as_json()}),
            "ran": run.results.ran.as_json(),
            "missed": run.missed,
        }
        return
    if run.recording.wanted and session.exitstatus in _INTERRUPTED:
        run.results.errors.append(WMLTestError("Nothing was recorded: the run was interrupted."))
    elif run.recording.wanted:
        run.recording.shards.append(run.recording.shard(run.results.failed))
        run.recording.save(extent(session, run.results.ran).part)
    _remember(config, run)
    passed = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if run.configuration.mode is Mode.REPLAY and not run.idle and run.tally().cassettes:
        from pytest_wml.runner import (
            recording_checks,  # only here: a run without recordings does not pay for it
        )

        recording_checks.at_the_end(session, run)
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    spoiled = run.results.errors or any(outcome.error for outcome in run.recording.outcomes)
    if passed and (spoiled or (in_ci and any(finding.expired for finding in run.results.findings))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _remember(config: pytest.Config, run: Run) -> None:
    """Keep the unanswered requests for the next run, which can tell what differs on every run."""
    cache = getattr(config, "cache", None)
    if run.missed and cache is not None:
        cache.set("wml/missed", run.misses.all())


def clean_up(run: Run) -> None:
    """Delete what a live run created and did not delete."""
    if run.configuration.mode is Mode.LIVE:
        from pytest_wml.runner import cleanup  # only here: an offline run does not pay for it

        cleanup.clean_up(run)


def stop(session: pytest.Session, run: Run) -> None:
    """Stop a live run whose budget is spent: no further test can pass."""
    if run.app.spent and not session.shouldstop:
        session.shouldstop = run.app.spent


def after_the_end(config: pytest.Config, run: Run, session: pytest.Session | None) -> None:
    """Fail the run for what failed after its summary: in hooks of others that come last."""
    run.take_refusals_of_children()
    told = len(run.results.errors)
    clean_up(run)
    late = [*run.results.errors[told:], *(failure.error for failure in run.request_log.take_failures())]
    if not late:
        return
    if hasattr(config, "workeroutput"):  # which has been sent
        run.report_to_controller(late)
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for error in late:
        line = f"outside any test: {error}"
        reporter.write_line(line) if reporter else print(line, file=sys.stderr)
    if session is not None and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def of_worker(output: dict[str, Any], run: Run) -> None:
    """Take over what an xdist worker recorded and what failed there outside any test."""
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.runner.cassette_writer import Shard

    run.results.ran.add(output["ran"])
    run.results.errors += [WMLTestError(text) for text in output.get("leftover", ())]
    if "tally" in output:
        run.workers.add(Tally.from_json(output["tally"]))
    if output.get("missed"):
        run.misses.now.update(output["missed"])
    if output.get("shard"):
        run.recording.shards.append(Shard.from_json(output["shard"]))


def lines(run: Run) -> Iterator[str]:
    """What is wrong outside any test, for the terminal."""
    for finding in run.results.findings:
        yield finding.text
    for error, times in Counter(map(str, run.results.errors)).items():
        yield f"outside any test: {error}" + (f"\n  ({times} times)" if times > 1 else "")


def ours(error: BaseException | None) -> WMLTestError | None:
    """The error of ours that was raised, or that another one was raised for."""
    seen = 0
    while error is not None and seen < 50:
        if isinstance(error, WMLTestError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _place(call: pytest.CallInfo[None], run: Run) -> str:
    found = place(call, run.configuration.root)
    return f"  at: {found[0]}:{found[1]}" if found else ""


def place(call: pytest.CallInfo[None], root: Path) -> tuple[Path, int] | None:
    """The line of the user's own code at which it happened; the file is relative to the root folder."""
    assert call.excinfo is not None
    for entry in reversed(call.excinfo.traceback):
        path = Path(entry.path)
        if path.is_relative_to(root) and "site-packages" not in path.parts and not entry.ishidden(call.excinfo):
            return path.relative_to(root), entry.lineno + 1
    return None
