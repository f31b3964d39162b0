"""Determines how much of a suite a run executed; only a complete run shows which recordings are unused."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_wml.config.option_table import CONTRACT_FILE
from pytest_wml.replay.cassette.suite_part import SuitePart

if TYPE_CHECKING:
    from pytest_wml.runner.results import ExecutedTests

_SELECTING = {
    "keyword": "-k",
    "markexpr": "-m",
    "lf": "--last-failed",
    "stepwise": "--stepwise",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "noconftest": "--noconftest",
    "inifilename": "-c",
    "collectonly": "--collect-only",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
}
"""Options of pytest that exclude tests: attribute → flag."""

_COLLECTING = ("addopts", "testpaths", "norecursedirs", "collect_imported_tests", "python_")
"""Prefixes of the ini keys that affect collection."""


class Extent(NamedTuple):
    """The executed part of a suite, and the reason if it is not complete; empty for a complete run."""

    part: SuitePart
    reason: str = ""


def extent(session: pytest.Session, executed: ExecutedTests) -> Extent:
    """The part of the suite that an ended run executed."""
    config = session.config
    selection = next(_selections(session), "")
    if selection:
        return Extent(SuitePart.CHOSEN, selection)
    left_out = next(_left_out(session, executed), "") or next(_not_collected(config, executed.collected), "")
    return Extent(SuitePart.USUAL, left_out) if left_out else Extent(SuitePart.ALL)


def suite(config: pytest.Config) -> list[Path]:
    """The folders and files with the project's tests: its testpaths, or the root folder."""
    patterns = [os.path.join(config.rootpath, pattern) for pattern in config.getini("testpaths")]
    paths = [path for pattern in patterns for path in glob.glob(pattern, recursive=True)]
    return [Path(path).resolve() for path in paths or [str(config.rootpath)]]


def _selections(session: pytest.Session) -> Iterator[str]:
    """Yield each way in which the command line, or the environment, selected tests."""
    config = session.config
    if session.shouldstop or session.shouldfail:
        yield "the run was stopped early"
    configured = [str(argument) for argument in config.getini("addopts")]
    for attribute, flag in _SELECTING.items():
        value = getattr(config.option, attribute, None)
        if value and not _is_configured(flag, value, configured):
            yield f"it was run with {flag}"
    for override in overrides(config):
        if override.startswith(_COLLECTING):
            yield f"it was run with -o {override}"
    named = [argument for argument in config.args if argument not in configured]
    if named and not _covers(config):
        yield f"it ran {', '.join(_shown(config, argument) for argument in named[:3])} only"


def overrides(config: pytest.Config) -> list[str]:
    """The ini keys on the command line, each as `key=value`."""
    return list(getattr(config.known_args_namespace, "override_ini", None) or ())


def _is_configured(flag: str, value: object, configured: Collection[str]) -> bool:
    """Whether the ini's addopts contain this value of an option."""
    values = value if isinstance(value, list) else [value]
    return all({f"{each}", f"{flag}{each}", f"{flag}={each}"}.intersection(configured) for each in values)


def _covers(config: pytest.Config) -> bool:
    """Whether the run's arguments include all folders and files with the project's tests."""
    if config.args_source is pytest.Config.ArgsSource.ARGS and config.option.pyargs:
        return False  # names of packages, whose folders are unknown here
    named = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    return all(any(one == place or one in place.parents for one in named) for place in suite(config))


def _shown(config: pytest.Config, argument: str) -> str:
    path = Path(argument)
    if path.is_absolute() and path.is_relative_to(config.rootpath):
        return path.relative_to(config.rootpath).as_posix()
    return argument


def _left_out(session: pytest.Session, executed: ExecutedTests) -> Iterator[str]:
    """Yield each reason why collected tests did not run to their end."""
    if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        yield "tests failed, or the run was interrupted"
    if executed.left_out:
        yield "tests were deselected or skipped"
    if not session.testscollected:
        yield "no tests were collected"
    if executed.tests < session.testscollected:
        yield f"{session.testscollected - executed.tests} tests did not run"


def _not_collected(config: pytest.Config, collected: Collection[str]) -> Iterator[str]:
    """Yield a reason for each test file of the project that was not collected."""
    known = {os.path.realpath(path) for path in collected}
    for path in test_files(config):
        if os.path.realpath(path) not in known:
            yield f"{_shown(config, str(path))} was not collected"


def test_files(config: pytest.Config) -> Iterator[Path]:
    """Yield the files that pytest collects by their names, in the project's test folders."""
    patterns = [*config.getini("python_files"), f"*{CONTRACT_FILE}"]
    for place in suite(config):
        for path in files_below(place, config.getini("norecursedirs")) if place.is_dir() else [place]:
            if any(_matches(path, pattern) for pattern in patterns):
                yield path


def files_below(folder: Path, skipped: Collection[str]) -> Iterator[Path]:
    """Yield the files below a folder, without virtual environments and skipped folders.

    Args:
        folder: the folder; it is searched even if it matches a pattern.
        skipped: patterns of folders, as in pytest's `norecursedirs`.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [
            name
            for name in folders
            if name != "__pycache__"
            and not any(_matches(here / name, pattern) for pattern in skipped)
            and not (here / name / "pyvenv.cfg").exists()
        ]
        yield from (here / name for name in files)


def _matches(path: PurePath, pattern: str) -> bool:
    """Whether a path matches a pattern by pytest's rules: by its name, or by its last parts."""
    if "/" not in pattern:
        return fnmatch.fnmatch(path.name, pattern)
    return fnmatch.fnmatch(path.as_posix(), pattern if pattern.startswith("/") else f"*/{pattern}")
