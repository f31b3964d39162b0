"""Checks of the recordings at the end of a replay: too old ones, and after a complete replay unused ones."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator

import pytest

from pytest_wml.replay.cassette.file import fingerprint
from pytest_wml.runner.completeness import extent, overrides, suite
from pytest_wml.runner.run import Run
from pytest_wml.runner.staleness import INCOMPLETE, PLAYED, CompleteReplay, expired, unused_recordings

_CHOOSING = ("model", "name", "deployment", "deployments", "cassettes")
"""Options that determine which recordings are replayed."""


def check_recordings(session: pytest.Session, run: Run) -> None:
    """Report recordings that are too old and, after a complete replay, unused ones."""
    today = datetime.datetime.now(datetime.UTC).date()
    run.results.findings += expired(run.tally(), run.configuration.settings.max_age.value, today)
    reason = next(_incomplete(session, run), "")
    cache = getattr(session.config, "cache", None)
    if cache is not None:
        cache.set(INCOMPLETE, reason)
    if reason:
        return
    played = set().union(*(cassette.played for cassette in run.tally().cassettes.values()))
    run.results.findings += unused_recordings(run.app.replay.library.all(), played)
    if cache is not None:
        cache.set(PLAYED, _complete(session.config, run, played).as_json())


def _incomplete(session: pytest.Session, run: Run) -> Iterator[str]:
    """Yield each reason why this replay does not show which recordings are unused."""
    executed = extent(session, run.results.executed)
    if executed.reason:
        yield executed.reason
    if run.results.errors:
        yield "there were errors outside the tests"
    if run.configuration.settings.faults.value:
        yield "faults were injected into all tests"
    overridden = {override.partition("=")[0] for override in overrides(session.config)}
    for name in _CHOOSING:
        source = vars(run.configuration.settings)[name].source
        if source != "default" and (not source.startswith("ini") or f"wml_{name}" in overridden):
            yield f"{source} chose for this run which recordings were played"
    folder, root = run.configuration.cassettes, run.configuration.root
    if not folder.resolve().is_relative_to(root.resolve()):
        yield f"{folder} is outside the root folder {root}: tests of other folders may use it"


def _complete(config: pytest.Config, run: Run, played: set[str]) -> CompleteReplay:
    library = run.app.replay.library
    root = run.configuration.root.resolve()
    return CompleteReplay(
        identities=frozenset(played),
        cassettes={name: fingerprint(library.path(name)) for name in library.names()},
        folder=run.configuration.cassettes.resolve().relative_to(root).as_posix(),
        started=run.results.started,
        suite=tuple(os.path.relpath(place, root) for place in suite(config)),
        skipped=tuple(config.getini("norecursedirs")),
    )
