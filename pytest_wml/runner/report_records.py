"""Records the tests of a process for JUnit and for the report.

The record of a test is part of its last pytest report, which xdist sends to the controller. It survives an interrupted
run and a crashed worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.outcomes import NOTE, Outcomes
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.contract import Result
    from pytest_wml.interception.request_log import RequestLog
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.deployments import RunDeployments
    from pytest_wml.runner.report.notes import DeploymentNote, FailureNote, TestNote

_WITH_A_MODEL = frozenset({"wml_deployment", "wml_contract"})
_FIXTURES = _WITH_A_MODEL | {"wml_client"}


class ReportState:
    """The records of a process.

    Attributes:
        test: node id of the running test.
        first_exchange: number of the run's exchanges before the test.
        end_of_call: number of the run's exchanges before the test's teardown.
        reported_checks: number of check results that are in a note.
        reported_deployments: names of the deployments that are in a note.
        failure: of the running test.
        outcomes: on the controller, pytest's outcomes of the tests.
        written: path of the page, after it was written.
        commands: workflow commands for GitHub.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.test = ""
        self.first_exchange = self.end_of_call = self.reported_checks = 0
        self.reported_deployments: set[str] = set()
        self.failure: FailureNote | None = None
        self.outcomes = Outcomes(config)
        self.written: Path | None = None
        self.commands: list[str] = []


_STATE = pytest.StashKey[ReportState]()


def on_github() -> bool:
    """Whether this runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def is_wanted(configuration: Configuration) -> bool:
    """Whether the run writes a report or annotations for GitHub."""
    return bool(configuration.settings.report.value) or on_github()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def register_outcomes(config: pytest.Config, configuration: Configuration) -> None:
    """Start to collect the outcomes of tests if the run writes a report; not in a worker of xdist."""
    if is_wanted(configuration) and not is_worker(config):
        config.pluginmanager.register(report_state(config).outcomes, "pytest_wml_outcomes")


def report_state(config: pytest.Config) -> ReportState:
    """The records of this process."""
    if _STATE not in config.stash:
        config.stash[_STATE] = ReportState(config)
    return config.stash[_STATE]


def lines(config: pytest.Config) -> Iterator[str]:
    """The path of the report, for the terminal."""
    written = report_state(config).written
    if written is not None:
        yield f"report: {written}"


def commands(config: pytest.Config) -> list[str]:
    """Workflow commands for GitHub, each a line of its own."""
    return report_state(config).commands


def begin_test(item: pytest.Item, request_log: RequestLog) -> None:
    """Begin the record of a test, which contains the requests from now on."""
    state = report_state(item.config)
    state.test, state.failure = item.nodeid, None
    state.first_exchange = len(request_log.exchanges)


def record_test(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, run: Run
) -> pytest.TestReport:
    """Add JUnit's properties and the note for the page to a test's last report."""
    state, wanted = report_state(item.config), is_wanted(run.configuration)
    if report.when == "setup":
        state.failure = None  # of an earlier attempt of the same test
    if report.outcome == "failed" and call.excinfo and state.failure is None and wanted:
        state.failure = _failure(item, call, run.configuration.root)
    results = run.results.checks[state.reported_checks :]
    all_exchanges = run.request_log.exchanges
    if report.when != "teardown":
        state.end_of_call = len(all_exchanges)
    # The teardown of fixtures with a wider scope does not belong to the last test.
    late = [exchange for exchange in all_exchanges[state.end_of_call :] if exchange.requester.where == item.nodeid]
    exchanges = all_exchanges[state.first_exchange : state.end_of_call] + late
    fixtures = set(getattr(item, "fixturenames", ()))
    if report.when != "teardown" or not (results or exchanges or fixtures & _FIXTURES):
        return report
    live = sum(exchange.answered_by == "live" for exchange in exchanges)
    properties: list[tuple[str, object]] = [("wml.mode", run.configuration.mode.value), ("wml.live_calls", live)]
    served = _served(run.deployments, run.configuration.name, results) if results or fixtures & _WITH_A_MODEL else None
    if served is not None and served.model_digest:
        properties.append(("wml.model_digest", served.model_digest))
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in dict(properties)] + properties
    report.user_properties = list(item.user_properties)
    if wanted:
        setattr(report, NOTE, note_of(run, state, results, live, len(exchanges)).as_text())
    state.reported_checks = len(run.results.checks)
    return report


def _served(deployments: RunDeployments, default: str, results: list[Result]) -> ModelArchive | None:
    """The model of a test's deployment."""
    names = [deployments.current or default, *(result.deployment for result in results)]
    return next((deployments.served[name] for name in names if name in deployments.served), None)


def note_of(run: Run, state: ReportState, results: list[Result], live: int, requests: int) -> TestNote:
    """The running test's note, with masked secrets."""
    from pytest_wml.runner.report.check_notes import check_note
    from pytest_wml.runner.report.notes import TestNote, masked

    new = [name for name in run.deployments.served if name not in state.reported_deployments]
    state.reported_deployments.update(new)
    note = TestNote(
        test=state.test,
        live_calls=live,
        requests=requests,
        checks=tuple(map(check_note, results)),
        deployments=tuple(_deployment(run, name, run.deployments.served[name]) for name in new),
        failure=state.failure,
    )
    safe: TestNote = masked(note, run.configuration.secrets.mask)
    return safe


def _deployment(run: Run, name: str, archive: ModelArchive) -> DeploymentNote:
    from pytest_wml.runner.report.notes import DeploymentNote

    plan = run.deployments.stored.get(name)
    exists = archive.path.exists()
    return DeploymentNote(
        name=name,
        mode=run.configuration.mode.value,
        digest=archive.model_digest,
        basis=archive.basis,
        signature=str(archive.signature or ""),
        path=str(archive.path) if exists else "",
        size=archive.size,
        model_type=plan.model_type if plan else "",
        software_spec=plan.software_spec if plan else "",
        note=archive.note,
    )


def _failure(item: pytest.Item, call: pytest.CallInfo[None], root: Path) -> FailureNote:
    """The reason why a test failed, and the line of the user's code."""
    from pytest_wml.contract.findings import ContractBroken
    from pytest_wml.runner import failures
    from pytest_wml.runner.report.notes import FailureNote

    assert call.excinfo is not None
    error, kind, title = call.excinfo.value, "", ""
    if isinstance(error, ContractBroken):
        kind, title = "contract", f"Contract broken: {error.result.check}"
    elif type(failures.find_error(error)).__name__ == "ModelChanged":
        kind, title = "model", "Model changed"
    file, line, _ = item.location
    users = failures.users_line(call, root)
    path, number = (users[0].as_posix(), users[1]) if users else (Path(file).as_posix(), (line or 0) + 1)
    return FailureNote(kind, title, path, number, call.when)
