"""The report, GitHub's annotations and its summary, made by the controller at the end of a run."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.errors import WMLTestError
from pytest_wml.runner import failures
from pytest_wml.runner import summary as report
from pytest_wml.runner.outcomes import Outcomes
from pytest_wml.runner.report_records import Notes, is_worker, note_of, noted, on_github, wanted
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.runner.report.notes import DeploymentNote
    from pytest_wml.runner.report.whole import Report, Told

_GITHUB_PLUGIN = "pytest_github_actions_annotate_failures"


def at_the_end(session: pytest.Session, run: Run) -> None:
    """Write the report and GitHub's summary, on the controller, where somebody wants them."""
    config = session.config
    if not wanted(run) or is_worker(config) or config.option.collectonly:
        return
    notes = noted(config)
    if not (run.configuration.settings.report.value or any(test.used_wml for test in notes.outcomes.tests)):
        return
    whole = _report(session, run, notes)
    try:
        if run.configuration.settings.report.value:
            notes.written = _write(run, whole)
        if on_github():
            _tell_github(config, whole, notes)
    except OSError as error:
        run.results.errors.append(
            WMLTestError("The report could not be written.", reason=error, fix="name a folder that can be written")
        )
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _write(run: Run, whole: Report) -> Path:
    from pytest_wml.replay.cassette.file import write
    from pytest_wml.runner.report.page import page

    path = run.configuration.resolve(run.configuration.settings.report) / "index.html"
    write(path, page(whole).encode("utf-8", "backslashreplace").decode("utf-8"))
    return path


def _tell_github(config: pytest.Config, whole: Report, notes: Notes) -> None:
    from pytest_wml.runner.report.github import commands, markdown

    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or config.rootpath).resolve()
    root = config.rootpath.resolve()
    below = f"{root.relative_to(workspace).as_posix()}/" if root.is_relative_to(workspace) else ""
    told = config.pluginmanager.hasplugin(_GITHUB_PLUGIN)
    notes.commands = list(commands(whole, calls_told=told, below=below.removeprefix("./")))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown(whole))


def _report(session: pytest.Session, run: Run, notes: Notes) -> Report:
    from pytest_wml.runner.report.notes import covered
    from pytest_wml.runner.report.whole import Recording, Report

    tests = [*notes.outcomes.tests, *_unfinished(run, notes)]
    tally = run.tally()
    found: dict[str, DeploymentNote] = {}
    for test in tests:
        for deployment in test.note.deployments:
            found.setdefault(deployment.name, deployment)
    whole = Report(
        mode=run.configuration.mode.value,
        chosen_by=run.configuration.settings.mode.source,
        at=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        versions=_versions(),
        exit_status=int(session.exitstatus),
        counts=notes.outcomes.counts,
        ran=len(notes.outcomes.ran),
        tests=tuple(tests),
        deployments=tuple(_linted(one) for one in found.values()),
        recordings=tuple(
            Recording(name, one.recorded_at, report.age(one.recorded_at), one.recorded_from, tally.answered[name])
            for name, one in sorted(tally.cassettes.items())
            if tally.answered[name]
        ),
        requests=max(tally.answered.total(), sum(test.note.requests for test in tests)),
        live_calls=max(tally.answered["live"], sum(test.note.live_calls for test in tests)),
        waited=round(tally.waited, 1),
        doubts=tuple(tally.doubts),
        faults=tuple(line.removeprefix("faults: ") for line in report.faults(tally)),
        outside=tuple(failures.lines(run)),
        stopped=_stopped(session, notes.outcomes),
    )
    masked: Report = (
        covered(whole, run.configuration.secrets.mask) if tests or run.configuration.knows_secrets else whole
    )
    return masked


def _unfinished(run: Run, notes: Notes) -> Iterator[Told]:
    """Yield tests that were interrupted, or whose worker crashed."""
    from pytest_wml.runner.report.notes import TestNote
    from pytest_wml.runner.report.whole import Told

    left = run.results.checks[notes.told :]
    if left:
        requests = len(run.request_log.exchanges) - notes.begun
        yield Told(note_of(run, notes, left, 0, requests), "unfinished", message="The run was interrupted.")
    for test, message in notes.outcomes.failed_midway():
        if test != (notes.test if left else None):
            yield Told(TestNote(test), "unfinished", message=message, used_wml=False)


def _stopped(session: pytest.Session, outcomes: Outcomes) -> str:
    if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "The run ended with an internal error of pytest or of a plugin."
    if session.exitstatus == pytest.ExitCode.INTERRUPTED:
        if outcomes.counts["error"] and not outcomes.ran:
            return "The run was interrupted: not every module could be collected."
        return f"The run was interrupted: {session.shouldstop or 'what ended before is told here'}."
    stopped = session.shouldfail or session.shouldstop
    return f"The run ended early: {stopped}." if stopped else ""


def _versions() -> dict[str, str]:
    import platform
    from importlib import metadata

    names = ("pytest-wml", "ibm-watson-machine-learning", "ibm-watsonx-ai", "tensorflow", "numpy")
    found = {"pytest": pytest.__version__, "Python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**found, platform.system(): platform.machine()}


def _linted(note: DeploymentNote) -> DeploymentNote:
    """What is to be said of the archive, where it is here and was made to be deployed."""
    if not note.path or not note.model_type:
        return note
    from pytest_wml.lint.findings import Level
    from pytest_wml.lint.judging import lint
    from pytest_wml.lint.target import Target

    try:
        found = lint(Path(note.path), Target(note.model_type, note.software_spec))
    except (WMLTestError, OSError) as error:
        return replace(note, lint=((Level.WARN.value, f"The archive could not be looked at: {error}"),))
    return replace(note, lint=tuple((one.level.value, f"{one.code}: {one.found}") for one in found))
