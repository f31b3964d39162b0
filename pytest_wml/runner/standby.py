"""What stands by until a run has to do with WML, and begins the run then: most projects' runs never do.

Loaded at every start of pytest, so it knows little: which names may be looked up, which modules lead to IBM, and what
child processes inherit. Until the run begins nothing else of it is loaded.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.interception import names
from pytest_wml.interception.children import Children
from pytest_wml.interception.patches import AfterImport, Patches
from pytest_wml.interception.requester import Turns

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_wml.runner.session import Run

_LEADING_TO_IBM = (
    *("urllib3.connection", "httpcore", "http.client", "aiohttp.connector", "vcr.cassette"),
    *("ibm_watson_machine_learning", "ibm_watsonx_ai"),
)
"""Modules whose connections the door carries or refuses, which it can only from their import on."""

_OF_THE_RUN = "pytest_wml.runner.session"
"""A module that is loaded when the run begins."""


class Ran:
    """What ran in this process, or in all processes of the run.

    Attributes:
        collected: files that were collected.
        tests: number of tests that ended.
        left_out: whether a test was deselected, or skipped for a reason of its own.
    """

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.tests = 0
        self.left_out = False

    def as_json(self) -> dict[str, Any]:
        """A form that travels from an xdist worker to the controller."""
        return {"collected": sorted(self.collected), "tests": self.tests, "left_out": self.left_out}

    def add(self, form: dict[str, Any]) -> None:
        """Add what ran in another process."""
        self.collected.update(form["collected"])
        self.tests += form["tests"]
        self.left_out |= form["left_out"]


class Standby:
    """Begins the run with the first contact: whatever then asks finds everything in its place.

    Args:
        config: pytest's.
        environ: the environment at the start.
    """

    def __init__(self, config: pytest.Config, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = dict(environ)
        self._run: Run | None = None
        self._modules: dict[str, ModuleType] = {}
        self._present: list[str] = []
        self.turns = Turns()
        self.ran = Ran()
        self.started = time.time()
        """When the run began, in seconds since the epoch."""
        self.finished: pytest.Session | None = None
        """pytest's session, from its end on."""
        self._children: Children | None = None
        self._names = Patches()
        self._watch = AfterImport(dict.fromkeys(_LEADING_TO_IBM, self._touched))
        self._beginning: Run | None = None
        self._lock = threading.RLock()

    def wait(self) -> None:
        """Begin with the first contact; at once where there has been one."""
        if not sys.modules.keys().isdisjoint(_LEADING_TO_IBM):
            self.begin()
            return
        self._children = Children()
        self._children.open()
        names.guard(self._names, self._check)
        self._watch.install()

    @property
    def run(self) -> Run | None:
        """The run, once it has begun."""
        if self._run is not None and _OF_THE_RUN not in sys.modules:
            self._keep_modules()
        return self._run

    def begin(self) -> Run:
        """The run, begun now if it has not been.

        Raises:
            WMLTestError: an option or the credentials cannot be used; only where any were given.
        """
        if self.run is None:
            # Another thread that asks meanwhile waits: its connection would leave for IBM.
            with self._lock:
                if self._beginning is None:
                    self._beginning = self._begun()
                    self._beginning.open()
                    self._watch.remove()
                    self._keep_modules()
                    self._run = self._beginning
                return self._beginning
        return self.run

    def _begun(self) -> Run:
        # Only here: a project without WML does not pay for it.
        from pytest_wml.config import options
        from pytest_wml.runner.interrupts import Interruption
        from pytest_wml.runner.session import RUN, Run

        config = self._config
        started_in = config.invocation_params.dir
        settings = options.read(config, self._environ)
        run = Run(settings, config.rootpath, self._environ, started_in, self.turns, self._children)
        run.finished = self.finished
        run.recall = partial(_missed_before, config)
        config.stash[RUN] = run
        config.pluginmanager.register(Interruption(config, run.interrupted), "pytest_wml_interruption")
        return run

    def close(self) -> None:
        """Put everything back."""
        self._watch.remove()
        if self.run is not None:
            self.run.close()
        elif self._children is not None:
            self._children.close()
        self._names.undo()

    def renew(self) -> None:
        """Check again what another plugin, putting back what it replaced, has set free."""
        self._names.renew()
        if self.run is not None:
            self._keep_modules()
            self.run.door.renew()

    def hear_children(self) -> None:
        """Remember what was refused to child processes, as failures of whoever asks now."""
        if self.run is not None:
            self.run.hear_children()
        elif self._children is not None and self._children.told():
            self.begin().hear_children()

    def _keep_modules(self) -> None:
        """See to it that the run's modules are loaded once, also where a suite puts `sys.modules` back as it was.

        Loaded again, their classes would be others than the run's.
        """
        kept = all(sys.modules.get(name) is module for name, module in self._modules.items())
        if kept and list(sys.modules) == self._present:
            return  # so it is before most tests: thousands of names need not be looked at
        ours = {name: module for name, module in list(sys.modules.items()) if name.startswith("pytest_wml.")}
        self._modules = {**ours, **self._modules}
        sys.modules.update(self._modules)
        self._present = list(sys.modules)

    def _touched(self) -> None:
        self.begin()

    def _check(self, host: Any, port: Any) -> None:
        self.begin().door.check(host, port)


def _missed_before(config: pytest.Config) -> Any:
    """The unanswered requests of earlier runs, from pytest's cache; none where that is switched off."""
    cache = getattr(config, "cache", None)
    missed = cache.get("wml/missed", None) if cache is not None else None
    return missed if isinstance(missed, dict) else {}


STANDBY = pytest.StashKey[Standby]()


def run_of(config: pytest.Config) -> Run:
    """The run, begun now if nothing has had to do with WML before."""
    return config.stash[STANDBY].begin()
