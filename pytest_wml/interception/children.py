"""What the child processes of a run inherit: a guard that lets nothing out to IBM, and tells the run.

Loaded at every start of pytest.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_wml.interception.guard_variable import VARIABLE

if TYPE_CHECKING:
    from pytest_wml.interception.guard import NotThroughTheDoor
    from pytest_wml.wml.hosts import Hosts

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
        from pytest_wml.interception.reports import report

        report(self._folder, error, "a fork of the run")
        return True

    def tell_parent(self, error: Exception) -> None:
        """Pass on to the run that started this process what it could not be told otherwise."""
        folder = self._before.get(VARIABLE)
        if folder:
            from pytest_wml.interception.reports import report

            report(folder, error, "an xdist worker")

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
            from pytest_wml.interception.reports import reported  # only here: hardly a run has any

            yield from reported(self._folder, told)


def _without_ours(path: str | None) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry != INHERITED] if path else []
