"""The name, journal and folder that the processes of one live run share."""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from pytest_wml.live.resource_journal import ResourceJournal, RunLock, folder, journaled_runs
from pytest_wml.live.resource_names import Mark, marked, new_run, parted

VARIABLE = "PYTEST_WML_RUN"
"""By which xdist's workers know the run that started them: process, run, end of its lifetime, folder."""


_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """SIGTERM, or SIGHUP when a terminal is closed: the run ends as after Ctrl-C, and deletes what it created."""


class RunProcesses:
    """A live run's name and what its processes share.

    Args:
        environ: the environment at the start.
        lifetime: hours after which nobody needs what the run created.
        facts: of the journal's first line: `url`, `space`.
    """

    def __init__(self, environ: Mapping[str, str], lifetime: float, facts: dict[str, str]) -> None:
        joined = _joined(environ)
        self.is_worker = joined is not None
        """Whether this is a worker of xdist's; then the process that started it deletes what is left."""
        self.mark, self.folder = joined or (marked(new_run(), datetime.timedelta(hours=lifetime)), Path())
        self.journals = folder()
        self.journal = ResourceJournal(self.journals, self.mark.run, facts)
        self._alive = RunLock(self.journals, self.mark.run)
        self._before = environ.get(VARIABLE)
        self._handled: list[signal.Signals] = []

    def open(self) -> None:
        """The run begins."""
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                if signal.getsignal(number) is signal.SIG_DFL:  # else somebody else handles it
                    self._handled.append(number)
                    signal.signal(number, _terminate)
        if self.is_worker:
            return
        self.folder = Path(tempfile.mkdtemp(prefix="pytest-wml-run-"))
        self._alive.begin()
        os.environ[VARIABLE] = f"{os.getpid()}:{self.mark.suffix}:{self.folder}"

    def close(self) -> None:
        """The run ends; its journals go, unless they owe something."""
        while self._handled:
            number = self._handled.pop()
            if signal.getsignal(number) in (_terminate, signal.SIG_IGN):
                signal.signal(number, signal.SIG_DFL)
        if self.is_worker:
            return
        os.environ.pop(VARIABLE, None)
        if self._before is not None:
            os.environ[VARIABLE] = self._before
        for journals in journaled_runs(self.journals, self.mark.run):
            if not journals.owed:
                for file in journals.files:
                    file.unlink(missing_ok=True)
        self._alive.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def _joined(environ: Mapping[str, str]) -> tuple[Mark, Path] | None:
    """The run that started this worker; another pytest that a test started is a run of its own."""
    pid, _, rest = environ.get(VARIABLE, "").partition(":")
    suffix, _, place = rest.partition(":")
    if "PYTEST_XDIST_WORKER" not in environ or pid != str(os.getppid()):
        return None
    mark = parted(suffix)[1]
    return (mark, Path(place)) if mark is not None and os.path.isdir(place) else None


def _terminate(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one would end the cleaning up
    raise Terminated(signal.Signals(number).name)
