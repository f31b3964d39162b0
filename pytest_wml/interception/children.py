"""Guards the child processes of a run: refuses their connections to IBM, and reports each refusal to the run.

Loaded at every start of pytest.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wml.interception.guard import NotThroughTheDoor

if TYPE_CHECKING:
    from pytest_wml.wml.hosts import Hosts

VARIABLE = "PYTEST_WML_GUARD"
"""Environment variable with the folder of the reports; `inherited/_pytest_wml_guard.py` reads it too."""
_HOSTS_FILE = "hosts"
INHERITED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inherited")
"""The first folder in PYTHONPATH of child processes; its `sitecustomize` installs the guard."""


class ChildGuard:
    """Guards the Python processes that this process starts, through their environment.

    Not guarded: programs in other languages, Python started with -S, -E or -I, and processes that get another
    environment.

    Args:
        hosts: IBM's hosts; None for those of IBM Cloud.
    """

    def __init__(self, hosts: Hosts | None = None) -> None:
        self._hosts = hosts.cpd if hosts else frozenset[str]()
        self._folder = ""
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str] = {}
        self._own = os.getpid()

    def open(self) -> None:
        """Start to guard child processes; does nothing if they are guarded."""
        if self._after:
            return
        self._own = os.getpid()
        self._folder = tempfile.mkdtemp(prefix="pytest-wml-guard-")
        with open(os.path.join(self._folder, _HOSTS_FILE), "w", encoding="utf-8") as file:
            file.write("\n".join(sorted(self._hosts)))
        before = os.environ.get("PYTHONPATH")
        # PYTHONPATH contains the folder already if this process is a child itself, for example an xdist worker.
        others = _without_inherited(before)
        self._after = {
            VARIABLE: self._folder,
            "PYTHONPATH": os.pathsep.join([INHERITED, *others]),
        }
        self._before = {name: os.environ.get(name) for name in self._after}
        os.environ.update(self._after)

    def close(self) -> None:
        """Restore the environment; other code's changes to a variable stay."""
        if not self._after or os.getpid() != self._own:
            return
        for name, after in self._after.items():
            now = os.environ.get(name)
            restored = self._before[name]
            if now is not None and now != after:
                restored = os.pathsep.join(_without_inherited(now)) if name == "PYTHONPATH" else now
            if now is None or restored is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = restored
        self._after = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def report_from_fork(self, error: Exception) -> bool:
        """Report an error of a fork of this process to the process; False if this is not a fork."""
        if not self._after or os.getpid() == self._own:
            return False
        _write_report(self._folder, error, "a fork of the run")
        return True

    def report_to_parent(self, error: Exception) -> None:
        """Report an error to the run that started this process."""
        folder = self._before.get(VARIABLE)
        if folder:
            _write_report(folder, error, "an xdist worker")

    def take_refusals(self) -> Iterator[NotThroughTheDoor]:
        """Yield the refused connections of child processes, each once."""
        names = self._reports()
        if names:
            yield from _take_reports(self._folder, names)

    def _reports(self) -> list[str]:
        """The names of the reports that have not been read."""
        if not self._after:
            return []
        try:
            return sorted(name for name in os.listdir(self._folder) if name.endswith(".json"))
        except OSError:  # a test may delete the temporary folder
            return []


def _without_inherited(path: str | None) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry != INHERITED] if path else []


def _write_report(folder: str, error: Exception, program: str) -> None:
    """Report an error to the process that reads this folder."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    problem = str(error).partition("\n")[0]
    report = {"problem": problem, "test": test, "program": program, "pid": os.getpid()}
    path = Path(folder, f"{os.getpid()}-{time.monotonic_ns()}")
    with contextlib.suppress(OSError):
        path.write_text(json.dumps(report), encoding="utf-8")
        path.rename(path.with_suffix(".json"))


def _take_reports(folder: str, names: Iterable[str]) -> Iterator[NotThroughTheDoor]:
    """Read reports, and delete each; unreadable ones are skipped."""
    for name in names:
        path = Path(folder, name)
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            path.unlink()
            yield _error(report)
        except (OSError, ValueError, AttributeError):
            continue


def _error(report: dict[str, Any]) -> NotThroughTheDoor:
    host = report.get("host")
    return NotThroughTheDoor(
        report.get("problem")
        or f"A child process was refused a connection to {host}: it would have left this machine for IBM.",
        started_by=report.get("test") or "this run, outside any test",
        program=f"{report.get('program')} (process {report.get('pid')})",
        known="in this mode only requests of the run's own processes are answered",
        fix=f"send the request from the test's own process, or run with --wml=live; without {VARIABLE} in its\n"
        "environment a process is not guarded",
    )
