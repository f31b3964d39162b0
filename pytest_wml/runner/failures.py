"""Puts errors of pytest-wml into pytest's reports: one message without traceback, for the test or fixture at fault."""

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
from pytest_wml.interception.request_log import Requester, RequestLog
from pytest_wml.model.causes import without_loading
from pytest_wml.runner import error_reports, marker
from pytest_wml.runner.completeness import extent
from pytest_wml.runner.mode_app import ModeApp
from pytest_wml.runner.results import Results
from pytest_wml.runner.run import Run

_GPU_WORDS = re.compile(r"\b(cuda|cudnn|cublas|gpu|tensorrt|illegal instruction)", re.IGNORECASE)
_INTERRUPTED = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def report_test(run: Run, report: pytest.TestReport, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """Put errors of pytest-wml into a test's report, also those that IBM's client caught or wrapped."""
    if report.when == "setup":
        # Of a test that is repeated, for example by pytest-rerunfailures, the last attempt counts.
        run.results.failed.discard(report.nodeid)
        run.results.skipped.discard(report.nodeid)
    errors: list[Exception] = [failure.error for failure in run.request_log.take_failures()]
    raised = find_error(call.excinfo.value) if call.excinfo else None
    if raised is not None:
        errors.append(raised)
    expected = hasattr(report, "wasxfail") and report.outcome == "skipped"
    if errors and not expected:
        place = _shown_line(call, run.configuration.root) if call.excinfo else ""
        report.longrepr = "\n".join(filter(None, [_text(errors), place]))
        report.outcome = "failed"
        error_reports.record_cause(report, errors[0])
    elif call.excinfo and type(call.excinfo.value).__module__.startswith("pytest_wml."):
        error = call.excinfo.value
        error_reports.remove_module(report, error)
        error_reports.record_cause(report, error)
    _remove_loading_messages(report, call, errors)
    _mask(run, report)
    if report.outcome == "failed":
        run.results.failed.add(report.nodeid)
    elif report.outcome == "skipped":
        run.results.skipped.add(report.nodeid)
    return report


def _remove_loading_messages(report: pytest.TestReport, call: pytest.CallInfo[None], errors: list[Exception]) -> None:
    """Remove a framework's import messages from the captured output, unless they may explain the failure."""
    if not _needs_loading_messages(report, call, errors):
        report.sections = list(_without_loading_messages(report))


def _needs_loading_messages(report: pytest.TestReport, call: pytest.CallInfo[None], errors: list[Exception]) -> bool:
    """Whether import messages may explain a failure: of the service or a framework, or if its text mentions a GPU."""
    if not report.failed:
        return False
    of_library = call.excinfo is not None and call.excinfo.type.__module__.startswith(("ibm_", "tensorflow", "keras"))
    return bool(errors) or of_library or bool(_GPU_WORDS.search(str(report.longrepr)))


def _without_loading_messages(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    for name, text in report.sections:
        rest = without_loading(text) if name.startswith("Captured stderr") else text
        if rest.strip() or not text.strip():
            yield name, rest


def _mask(run: Run, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Mask secrets in captured output and in the values of a failed assertion."""
    if not (run.request_log.exchanges or run.configuration.knows_secrets):
        return
    if report.failed:
        error_reports.mask(report, run.configuration.secrets.mask)
    report.sections = [(name, run.configuration.secrets.mask(text)) for name, text in report.sections]


def _text(errors: Iterable[object]) -> str:
    """The first error in full, and the number of the others."""
    first, *others = dict.fromkeys(map(str, errors))
    more = f"\n({len(others)} more such errors followed)" if others else ""
    return first + more


def fail_fixture(request_log: RequestLog, definition: pytest.FixtureDef[Any], requester: Requester) -> None:
    """Fail a fixture with failed requests, for every test that uses it.

    Raises:
        WMLTestError: the first failure of the fixture's requests.
    """
    failures = request_log.take_failures(requester)
    if not failures:
        return
    error = failures[0].error
    if definition.cached_result is not None:
        key = definition.cached_result[1]
        definition.cached_result = (None, key, (error, None))
    raise error from None


def report_collection(run: Run, report: pytest.CollectReport, requester: Requester) -> pytest.CollectReport:
    """Fail the collection of a module if requests of its import failed, or if its markers are wrong."""
    errors = [failure.error for failure in run.request_log.take_failures()]
    problems = [_text(errors)] if errors else []
    problems += marker.mistakes(report.result)
    if problems:
        report.outcome = "failed"
        report.longrepr = "\n".join(problems)
        report.result = []
        if errors:
            error_reports.record_cause(report, errors[0])
    if report.outcome == "failed":
        run.results.failed.add(requester.where)
        _mask(run, report)
    return report


def finish(session: pytest.Session, run: Run) -> None:
    """Save the recording, check the recordings, and fail the run for failures outside any test."""
    config = session.config
    run.take_refusals_of_children()
    clean_up(run)
    run.results.errors += [failure.error for failure in run.request_log.take_failures()]
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["pytest_wml"] = {
            "shard": run.recording.shard(run.results.failed).as_json() if run.recording.enabled else None,
            "leftover": [str(error) for error in run.results.errors],
            **({} if run.idle else {"tally": run.tally().as_json()}),
            "ran": run.results.executed.as_json(),
            "missed": run.missed,
        }
        return
    if run.recording.enabled and session.exitstatus in _INTERRUPTED:
        run.results.errors.append(WMLTestError("Nothing was recorded: the run was interrupted."))
    elif run.recording.enabled:
        run.recording.shards.append(run.recording.shard(run.results.failed))
        run.recording.save(extent(session, run.results.executed).part)
    _cache_misses(config, run)
    passed = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if run.configuration.mode is Mode.REPLAY and not run.idle and run.tally().cassettes:
        from pytest_wml.runner import recording_checks  # not imported in a run without recordings

        recording_checks.check_recordings(session, run)
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    errors = run.results.errors or any(result.error for result in run.recording.write_results)
    if passed and (errors or (in_ci and any(finding.expired for finding in run.results.findings))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _cache_misses(config: pytest.Config, run: Run) -> None:
    """Store the unanswered requests for the next run, which compares them to find values that change in every run."""
    cache = getattr(config, "cache", None)
    if run.missed and cache is not None:
        cache.set("wml/missed", run.misses.all())


def clean_up(run: Run) -> None:
    """Delete the remaining resources of a live run."""
    if run.configuration.mode is Mode.LIVE:
        from pytest_wml.runner import cleanup  # not imported in an offline run

        cleanup.clean_up(run)


def stop_if_budget_spent(session: pytest.Session, app: ModeApp) -> None:
    """Stop a live run whose budget is spent, since no further test can pass."""
    if app.spent and not session.shouldstop:
        session.shouldstop = app.spent


def finish_late(config: pytest.Config, run: Run, session: pytest.Session | None) -> None:
    """Fail the run for failures after its summary, in the last hooks of other plugins."""
    run.take_refusals_of_children()
    reported = len(run.results.errors)
    clean_up(run)
    late = [*run.results.errors[reported:], *(failure.error for failure in run.request_log.take_failures())]
    if not late:
        return
    if hasattr(config, "workeroutput"):  # xdist has sent the worker's output before
        run.report_to_controller(late)
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for error in late:
        line = f"outside any test: {error}"
        reporter.write_line(line) if reporter else print(line, file=sys.stderr)
    if session is not None and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def add_worker_output(output: dict[str, Any], run: Run) -> None:
    """Add the recording, the counts and the failures outside any test of an xdist worker."""
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.runner.cassette_writer import Shard

    run.results.executed.add(output["ran"])
    run.results.errors += [WMLTestError(text) for text in output.get("leftover", ())]
    if "tally" in output:
        run.workers.add(Tally.from_json(output["tally"]))
    if output.get("missed"):
        run.misses.now.update(output["missed"])
    if output.get("shard"):
        run.recording.shards.append(Shard.from_json(output["shard"]))


def lines(results: Results) -> Iterator[str]:
    """The failures and findings outside any test, for the terminal."""
    for finding in results.findings:
        yield finding.text
    for error, times in Counter(map(str, results.errors)).items():
        yield f"outside any test: {error}" + (f"\n  ({times} times)" if times > 1 else "")


def find_error(error: BaseException | None) -> WMLTestError | None:
    """The nearest error of pytest-wml among an error and its causes."""
    depth = 0
    while error is not None and depth < 50:
        if isinstance(error, WMLTestError):
            return error
        error, depth = error.__cause__ or error.__context__, depth + 1
    return None


def _shown_line(call: pytest.CallInfo[None], root: Path) -> str:
    line = users_line(call, root)
    return f"  at: {line[0]}:{line[1]}" if line else ""


def users_line(call: pytest.CallInfo[None], root: Path) -> tuple[Path, int] | None:
    """File and line of the user's code at which an error was raised; the file is relative to the root folder."""
    assert call.excinfo is not None
    for entry in reversed(call.excinfo.traceback):
        path = Path(entry.path)
        if path.is_relative_to(root) and "site-packages" not in path.parts and not entry.ishidden(call.excinfo):
            return path.relative_to(root), entry.lineno + 1
    return None
