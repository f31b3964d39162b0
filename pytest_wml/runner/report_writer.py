"""Writes the report, GitHub's annotations and its summary, on the controller at the end of a run."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.errors import WMLTestError
from pytest_wml.runner import failures, summary
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.outcomes import Outcomes
from pytest_wml.runner.report_records import ReportState, is_wanted, is_worker, note_of, on_github, report_state
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.runner.report.notes import DeploymentNote
    from pytest_wml.runner.report.run_report import ReportedTest, RunReport

_GITHUB_PLUGIN = "pytest_github_actions_annotate_failures"


def write_reports(session: pytest.Session, run: Run) -> None:
    """Write the report and GitHub's summary, if the run asks for them; does nothing in a worker of xdist."""
    config = session.config
    if not is_wanted(run.configuration) or is_worker(config) or config.option.collectonly:
        return
    state = report_state(config)
    if not (run.configuration.settings.report.value or any(test.used_wml for test in state.outcomes.tests)):
        return
    report = _report(session, run, state)
    try:
        if run.configuration.settings.report.value:
            state.written = _write_page(run.configuration, report)
        if on_github():
            _write_for_github(config, report, state)
    except OSError as error:
        run.results.errors.append(
            WMLTestError("The report could not be written.", reason=error, fix="name a folder that can be written")
        )
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _write_page(configuration: Configuration, report: RunReport) -> Path:
    from pytest_wml.replay.cassette.file import write
    from pytest_wml.runner.report.page import page

    path = configuration.resolve(configuration.settings.report) / "index.html"
    write(path, page(report).encode("utf-8", "backslashreplace").decode("utf-8"))
    return path


def _write_for_github(config: pytest.Config, report: RunReport, state: ReportState) -> None:
    from pytest_wml.runner.report.github import commands, markdown

    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or config.rootpath).resolve()
    root = config.rootpath.resolve()
    below = f"{root.relative_to(workspace).as_posix()}/" if root.is_relative_to(workspace) else ""
    other_plugin = config.pluginmanager.hasplugin(_GITHUB_PLUGIN)
    state.commands = list(commands(report, without_calls=other_plugin, below=below.removeprefix("./")))
    job_summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if job_summary:
        with Path(job_summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown(report))


def _report(session: pytest.Session, run: Run, state: ReportState) -> RunReport:
    from pytest_wml.runner.report.notes import masked
    from pytest_wml.runner.report.run_report import ReportedRecording, RunReport

    tests = [*state.outcomes.tests, *_unfinished(run, state)]
    tally = run.tally()
    deployments: dict[str, DeploymentNote] = {}
    for test in tests:
        for deployment in test.note.deployments:
            deployments.setdefault(deployment.name, deployment)
    report = RunReport(
        mode=run.configuration.mode.value,
        chosen_by=run.configuration.settings.mode.source,
        at=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        versions=_versions(),
        exit_status=int(session.exitstatus),
        counts=state.outcomes.counts,
        ran=len(state.outcomes.ran),
        tests=tuple(tests),
        deployments=tuple(_linted(one) for one in deployments.values()),
        recordings=tuple(
            ReportedRecording(
                name, one.recorded_at, summary.age(one.recorded_at), one.recorded_from, tally.answered[name]
            )
            for name, one in sorted(tally.cassettes.items())
            if tally.answered[name]
        ),
        requests=max(tally.answered.total(), sum(test.note.requests for test in tests)),
        live_calls=max(tally.answered["live"], sum(test.note.live_calls for test in tests)),
        waited=round(tally.waited, 1),
        doubts=tuple(tally.doubts),
        faults=tuple(line.removeprefix("faults: ") for line in summary.faults(tally)),
        outside=tuple(failures.lines(run.results)),
        stopped=_stopped(session, state.outcomes),
    )
    if not tests and not run.configuration.knows_secrets:
        return report
    safe: RunReport = masked(report, run.configuration.secrets.mask)
    return safe


def _unfinished(run: Run, state: ReportState) -> Iterator[ReportedTest]:
    """Yield tests that were interrupted, or whose worker crashed."""
    from pytest_wml.runner.report.notes import TestNote
    from pytest_wml.runner.report.run_report import ReportedTest

    unreported = run.results.checks[state.reported_checks :]
    if unreported:
        requests = len(run.request_log.exchanges) - state.first_exchange
        note = note_of(run, state, unreported, 0, requests)
        yield ReportedTest(note, "unfinished", message="The run was interrupted.")
    for test, message in state.outcomes.failed_midway():
        if test != (state.test if unreported else None):
            yield ReportedTest(TestNote(test), "unfinished", message=message, used_wml=False)


def _stopped(session: pytest.Session, outcomes: Outcomes) -> str:
    if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "The run ended with an internal error of pytest or of a plugin."
    if session.exitstatus == pytest.ExitCode.INTERRUPTED:
        if outcomes.counts["error"] and not outcomes.ran:
            return "The run was interrupted: not every module could be collected."
        return f"The run was interrupted: {session.shouldstop or 'this report contains the tests that ended before'}."
    stopped = session.shouldfail or session.shouldstop
    return f"The run ended early: {stopped}." if stopped else ""


def _versions() -> dict[str, str]:
    import platform
    from importlib import metadata

    names = ("pytest-wml", "ibm-watson-machine-learning", "ibm-watsonx-ai", "tensorflow", "numpy")
    versions = {"pytest": pytest.__version__, "Python": platform.python_version()}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**versions, platform.system(): platform.machine()}


def _linted(note: DeploymentNote) -> DeploymentNote:
    """A deployment's note with the findings of lint, if the archive exists and its type is known."""
    if not note.path or not note.model_type:
        return note
    from pytest_wml.model.lint.findings import LintLevel
    from pytest_wml.model.lint.linter import lint
    from pytest_wml.model.lint.specification import LintTarget

    try:
        findings = lint(Path(note.path), LintTarget(note.model_type, note.software_spec))
    except (WMLTestError, OSError) as error:
        return replace(note, lint=((LintLevel.WARN.value, f"The archive could not be read: {error}"),))
    return replace(note, lint=tuple((one.level.value, f"{one.code}: {one.found}") for one in findings))
