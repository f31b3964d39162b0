"""What the child processes of a run inherit: a guard that lets nothing out to IBM, and tells the run.

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
"""Names the folder that children report to; known to `inherited/_pytest_wml_guard.py` too."""
_NAMED = "hosts"
INHERITED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inherited")
"""The folder that children find first on their path; its `sitecustomize` installs the guard."""


class Children:
    """Guards the Python processes that this one starts while it is open, through the environment.

    Not guarded: other languages, Python started with -S, -E or -I, and what is given an environment of its own.

    Args:
        hosts: which hosts are IBM's; without, those of IBM Cloud.
    """

    def __init__(self, hosts: Hosts | None = None) -> None:
        self._named = hosts.cpd if hosts else frozenset[str]()
        self._folder = ""
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str] = {}
        self._own = os.getpid()

    def open(self) -> None:
        """From now on children are guarded; nothing more where they are already."""
        if self._after:
            return
        self._own = os.getpid()
        self._folder = tempfile.mkdtemp(prefix="pytest-wml-guard-")
        with open(os.path.join(self._folder, _NAMED), "w", encoding="utf-8") as file:
            file.write("\n".join(sorted(self._named)))
        before = os.environ.get("PYTHONPATH")
        # Where this process is itself a child, as xdist's workers are, the folder is there already.
        others = _without_ours(before)
        self._after = {
            VARIABLE: self._folder,
            "PYTHONPATH": os.pathsep.join([INHERITED, *others]),
        }
        self._before = {name: os.environ.get(name) for name in self._after}
        os.environ.update(self._after)

    def close(self) -> None:
        """Put the environment back as it was; what somebody changed meanwhile stays, but for our part."""
        if not self._after or os.getpid() != self._own:
            return
        for name, after in self._after.items():
            now = os.environ.get(name)
            put = self._before[name]
            if now is not None and now != after:
                put = os.pathsep.join(_without_ours(now)) if name == "PYTHONPATH" else now
            if now is None or put is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = put
        self._after = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell(self, error: Exception) -> bool:
        """Pass on what was refused in a fork of this process; False where this is the process itself."""
        if not self._after or os.getpid() == self._own:
            return False
        _report(self._folder, error, "a fork of the run")
        return True

    def tell_parent(self, error: Exception) -> None:
        """Pass on to the run that started this process what it could not be told otherwise."""
        folder = self._before.get(VARIABLE)
        if folder:
            _report(folder, error, "an xdist worker")

    def told(self) -> list[str]:
        """The files in which children said since the last time what was refused to them."""
        if not self._after:
            return []
        try:
            return sorted(name for name in os.listdir(self._folder) if name.endswith(".json"))
        except OSError:  # somebody emptied the temporary folder
            return []

    def refused(self) -> Iterator[NotThroughTheDoor]:
        """What was refused to children since the last time this was asked."""
        told = self.told()
        if told:
            yield from _reported(self._folder, told)


def _without_ours(path: str | None) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry != INHERITED] if path else []


def _report(folder: str, error: Exception, program: str) -> None:
    """Write down what was refused, for the process that guards this folder."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    problem = str(error).partition("\n")[0]
    told = {"problem": problem, "test": test, "program": program, "pid": os.getpid()}
    path = Path(folder, f"{os.getpid()}-{time.monotonic_ns()}")
    with contextlib.suppress(OSError):
        path.write_text(json.dumps(told), encoding="utf-8")
        path.rename(path.with_suffix(".json"))


def _reported(folder: str, names: Iterable[str]) -> Iterator[NotThroughTheDoor]:
    """What these files of the folder tell, each deleted once it is read; what cannot be read is left out."""
    for name in names:
        path = Path(folder, name)
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            path.unlink()
            yield _error(told)
        except (OSError, ValueError, AttributeError):
            continue


def _error(told: dict[str, Any]) -> NotThroughTheDoor:
    return NotThroughTheDoor(
        told.get("problem")
        or f"A child process was refused a connection to {told.get('host')}: it would have left this machine for IBM.",
        started_by=told.get("test") or "this run, outside any test",
        program=f"{told.get('program')} (process {told.get('pid')})",
        known="only what is asked in the run's own processes is answered in this mode",
        fix=f"ask in the test's own process, or run with --wml=live; {VARIABLE} taken out of the environment\n"
        "of a process lets it go",
    )
