"""Whole processes, measured from outside: wall time, processor time and peak memory, in turn with others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Ran(NamedTuple):
    """One process that has ended.

    Args:
        wall: seconds from its start to its end.
        cpu: seconds of processor time, of its own and of the processes it waited for.
        peak: MiB of memory, of the largest of them.
        said: its output.
    """

    wall: float
    cpu: float
    peak: float
    said: str


class Failed(Exception):
    """A process that was to be measured failed."""


class Command(NamedTuple):
    """What is run, where, and what its environment holds besides."""

    arguments: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str] = {}


def python(folder: Path, *arguments: str | Path, **environment: str) -> Command:
    """This Python with these arguments."""
    return Command([sys.executable, *arguments], folder, environment)


def pytest(folder: Path, *arguments: str | Path, **environment: str) -> Command:
    """A run of pytest with no third-party plugin but those named."""
    lonely = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    return python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, **lonely)


def run(command: Command, expected: int = 0) -> Ran:
    """Run to the end.

    Raises:
        Failed: it ended with another code than expected; the message holds its output.
    """
    # The measuring process must be small: a child's peak memory counts from what its parent held.
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(one) for one in command.arguments],
            cwd=command.folder,
            env=_environment(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode != expected:
        raise Failed(f"{command.arguments} ended with {process.returncode}:\n{said[-4000:]}")
    return Ran(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def in_turn(times: int, *commands: Command, warm: int = 1) -> list[list[Ran]]:
    """Run each command so often, A B A B …, after runs that are not counted; the runs of each."""
    for _ in range(warm):
        for command in commands:
            run(command)
    runs: list[list[Ran]] = [[] for _ in commands]
    for _ in range(times):
        for command, kept in zip(commands, runs, strict=True):
            kept.append(run(command))
    return runs


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # Bytecode is kept, as on every machine of a user's; options of the surrounding run are not for the measured one.
    # tox would move pytest's cache, and with it what is trained, into its own folder.
    inherited = ("PYTEST_ADDOPTS", "PYTEST_WML_GUARD", "CI", "GITHUB_ACTIONS", "TOX_ENV_DIR")
    left_out = ("PYTHONDONTWRITEBYTECODE", *inherited)
    kept = {k: v for k, v in os.environ.items() if k not in left_out and not k.startswith("WML_")}
    return {**kept, "TF_CPP_MIN_LOG_LEVEL": "3", **more}
