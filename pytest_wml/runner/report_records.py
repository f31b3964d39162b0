"""What each process notes of its tests: properties for JUnit, and what a report is made of.

A note travels with a test's last report, as that survives xdist, an interrupted run and a crashed worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.runner.outcomes import NOTE, Outcomes
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.contract import Result
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.report.notes import DeploymentNote, Failure, TestNote

_WITH_A_MODEL = frozenset({"wml_deployment", "wml_contract"})
_OURS = _WITH_A_MODEL | {"wml_client"}


class Notes:
    """What a process noted so far.

    Attributes:
        test: that runs.
        begun: exchanges of the run before it.
        ended: exchanges of the run before its teardown.
        told: results of the run that were told.
        described: names of the deployments that were told of.
        failure: of the running test.
        outcomes: on the controller, what pytest says of the tests.
        written: the page.
        commands: for GitHub.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.test = ""
        self.begun = self.ended = self.told = 0
        self.described: set[str] = set()
        self.failure: Failure | None = None
        self.outcomes = Outcomes(config)
        self.written: Path | None = None
        self.commands: list[str] = []


NOTES = pytest.StashKey[Notes]()


def on_github() -> bool:
    """Whether this runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def wanted(run: Run) -> bool:
    """Whether anybody wants to know more than JUnit's properties."""
    return bool(run.configuration.settings.report.value) or on_github()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def listen(config: pytest.Config, run: Run) -> None:
    """Hear what tests say, where somebody wants a report; in a worker of xdist nobody does."""
    if wanted(run) and not is_worker(config):
        config.pluginmanager.register(noted(config).outcomes, "pytest_wml_outcomes")


def noted(config: pytest.Config) -> Notes:
    """What this process noted so far."""
    if NOTES not in config.stash:
        config.stash[NOTES] = Notes(config)
    return config.stash[NOTES]


def lines(config: pytest.Config) -> Iterator[str]:
    """Where the report is, for the terminal."""
    written = noted(config).written
    if written is not None:
        yield f"report: {written}"


def commands(config: pytest.Config) -> list[str]:
    """GitHub's workflow commands, each a line of its own."""
    return noted(config).commands


def begin(item: pytest.Item, run: Run) -> None:
    """A test begins: what is asked from now on is its own."""
    notes = noted(item.config)
    notes.test, notes.failure = item.nodeid, None
    notes.begun = len(run.request_log.exchanges)


def of_test(item: pytest.Item, call: pytest.CallInfo[None], made: pytest.TestReport, run: Run) -> pytest.TestReport:
    """Give a test's last report what JUnit's properties and the page are made of."""
    notes = noted(item.config)
    if made.when == "setup":
        notes.failure = None  # of an earlier try of the same test
    if made.outcome == "failed" and call.excinfo and notes.failure is None and wanted(run):
        notes.failure = _failure(item, call, run)
    results = run.results.checks[notes.told :]
    asked = run.request_log.exchanges
    if made.when != "teardown":
        notes.ended = len(asked)
    # What wider fixtures ask when they end is not the last test's.
    late = [exchange for exchange in asked[notes.ended :] if exchange.requester.where == item.nodeid]
    exchanges = asked[notes.begun : notes.ended] + late
    fixtures = set(getattr(item, "fixturenames", ()))
    if made.when != "teardown" or not (results or exchanges or fixtures & _OURS):
        return made
    live = sum(exchange.answered_by == "live" for exchange in exchanges)
    properties: list[tuple[str, object]] = [("wml.mode", run.configuration.mode.value), ("wml.live_calls", live)]
    served = _served(run, results) if results or fixtures & _WITH_A_MODEL else None
    if served is not None and served.model_digest:
        properties.append(("wml.model_digest", served.model_digest))
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in dict(properties)] + properties
    made.user_properties = list(item.user_properties)
    if wanted(run):
        setattr(made, NOTE, note_of(run, notes, results, live, len(exchanges)).as_text())
    notes.told = len(run.results.checks)
    return made


def _served(run: Run, results: list[Result]) -> ModelArchive | None:
    """The model that the test asked."""
    names = [run.deployments.current or run.configuration.name, *(result.deployment for result in results)]
    return next((run.deployments.served[name] for name in names if name in run.deployments.served), None)


def note_of(run: Run, notes: Notes, results: list[Result], live: int, requests: int) -> TestNote:
    """The running test's note, without secrets."""
    from pytest_wml.runner.report.gathering import check_note
    from pytest_wml.runner.report.notes import TestNote, covered

    new = [name for name in run.deployments.served if name not in notes.described]
    notes.described.update(new)
    note = TestNote(
        test=notes.test,
        live_calls=live,
        requests=requests,
        checks=tuple(map(check_note, results)),
        deployments=tuple(_deployment(run, name, run.deployments.served[name]) for name in new),
        failure=notes.failure,
    )
    masked: TestNote = covered(note, run.configuration.secrets.mask)
    return masked


def _deployment(run: Run, name: str, archive: ModelArchive) -> DeploymentNote:
    from pytest_wml.runner.report.notes import DeploymentNote

    plan = run.deployments.stored.get(name)
    here = archive.path.exists()
    return DeploymentNote(
        name=name,
        mode=run.configuration.mode.value,
        digest=archive.model_digest,
        basis=archive.basis,
        signature=str(archive.signature or ""),
        path=str(archive.path) if here else "",
        size=archive.size,
        model_type=plan.model_type if plan else "",
        software_spec=plan.software_spec if plan else "",
        note=archive.note,
    )


def _failure(item: pytest.Item, call: pytest.CallInfo[None], run: Run) -> Failure:
    """Why a test failed, and at which line of the user's code."""
    from pytest_wml.contract.findings import ContractBroken
    from pytest_wml.runner import failures
    from pytest_wml.runner.report.notes import Failure

    assert call.excinfo is not None
    error, kind, title = call.excinfo.value, "", ""
    ours = failures.ours(error)
    if isinstance(error, ContractBroken):
        kind, title = "contract", f"Contract broken: {error.result.check}"
    elif type(ours).__name__ == "ModelChanged":
        kind, title = "model", "Model changed"
    file, line, _ = item.location
    place = failures.place(call, run.configuration.root)
    path, number = (place[0].as_posix(), place[1]) if place else (Path(file).as_posix(), (line or 0) + 1)
    return Failure(kind, title, path, number, call.when)
