"""How much of a suite a run ran: only a complete run shows which recordings are unused."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_wml.config.table import CONTRACT_FILE
from pytest_wml.replay.cassette.parts import Part

if TYPE_CHECKING:
    from pytest_wml.runner.results import Ran

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
"""Options of pytest that leave tests out, or run none: attribute → flag."""

_COLLECTING = ("addopts", "testpaths", "norecursedirs", "collect_imported_tests", "python_")
"""How the names of ini keys begin that decide what is collected."""


class Extent(NamedTuple):
    """How much of a suite ran, and why not all of it; the reason is empty for a complete run."""

    part: Part
    reason: str = ""


def extent(session: pytest.Session, ran: Ran) -> Extent:
    """How much of the suite a run ran that has ended."""
    config = session.config
    chosen = next(_chosen(session), "")
    if chosen:
        return Extent(Part.CHOSEN, chosen)
    left_out = next(_left_out(session, ran), "") or next(_not_collected(config, ran.collected), "")
    return Extent(Part.USUAL, left_out) if left_out else Extent(Part.ALL)


def suite(config: pytest.Config) -> list[Path]:
    """The folders and files that hold the project's tests: its testpaths, or the root folder."""
    patterns = [os.path.join(config.rootpath, pattern) for pattern in config.getini("testpaths")]
    named = [path for pattern in patterns for path in glob.glob(pattern, recursive=True)]
    return [Path(path).resolve() for path in named or [str(config.rootpath)]]


def _chosen(session: pytest.Session) -> Iterator[str]:
    """Yield how the command line, or the environment, narrowed the run."""
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
    """The ini keys that the command line gives, each as `key=value`."""
    return list(getattr(config.known_args_namespace, "override_ini", None) or ())


def _is_configured(flag: str, value: object, configured: Collection[str]) -> bool:
    """Whether the ini's addopts give this value of an option."""
    values = value if isinstance(value, list) else [value]
    return all({f"{each}", f"{flag}{each}", f"{flag}={each}"}.intersection(configured) for each in values)


def _covers(config: pytest.Config) -> bool:
    """Whether what the run was asked to collect contains all that holds the project's tests."""
    if config.args_source is pytest.Config.ArgsSource.ARGS and config.option.pyargs:
        return False  # names of packages, which may be anywhere
    named = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    return all(any(one == place or one in place.parents for one in named) for place in suite(config))


def _shown(config: pytest.Config, argument: str) -> str:
    path = Path(argument)
    if path.is_absolute() and path.is_relative_to(config.rootpath):
        return path.relative_to(config.rootpath).as_posix()
    return argument


def _left_out(session: pytest.Session, ran: Ran) -> Iterator[str]:
    """Yield why tests that were collected did not run to their end."""
    if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        yield "tests failed, or the run was interrupted"
    if ran.left_out:
        yield "tests were deselected or skipped"
    if not session.testscollected:
        yield "no tests were collected"
    if ran.tests < session.testscollected:
        yield f"{session.testscollected - ran.tests} tests did not run"


def _not_collected(config: pytest.Config, collected: Collection[str]) -> Iterator[str]:
    """Yield the test files of the project that the run did not collect."""
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
    """Yield the files below a folder, but not those of virtual environments and of folders that are skipped.

    Args:
        folder: where to begin; it may itself match.
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
    """Whether a path matches as pytest's own patterns do: by its name, or by its last parts."""
    if "/" not in pattern:
        return fnmatch.fnmatch(path.name, pattern)
    return fnmatch.fnmatch(path.as_posix(), pattern if pattern.startswith("/") else f"*/{pattern}")
