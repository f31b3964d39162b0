"""A runtime whose model lives in a process of its own."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_wml.emulator.runtimes.protocol import BadInput, RunsCode, ScoringFailed, ScoringRequest, ScoringTimedOut
from pytest_wml.emulator.runtimes.worker_process import Ended, TooSlow, WorkerProcess
from pytest_wml.model.serving import LoadFailed

_TOKEN = re.compile(r"eyJ[\w-]{8,}(\.[\w-]*)*", re.ASCII)
"""The token of a request, whole or cut; the service takes no other form of them."""


class ProcessRuntime:
    """A model in a process of its own: what breaks there breaks a request, never the process of the tests.

    One request at a time is scored; the others wait. After a crash or a time-out the next request loads the model
    anew.

    Args:
        module: name of the runtime's module beside this one.
        archive: where the archive was unpacked.
        folder: where the process works, and where its output is kept.
        trusted: whether code that is in the archive may run.
        deadline: seconds that a scoring may take.
    """

    def __init__(self, module: str, archive: Path, folder: Path, *, trusted: bool, deadline: float) -> None:
        self._arguments = (module, str(archive), "trusted" if trusted else "")
        self._folder = folder
        self._deadline = deadline
        self._turn = threading.Lock()
        self._state = threading.Lock()
        self._closed = False
        self._child: WorkerProcess | None = None
        self._load_deadline = 0.0
        self.written_by = ""
        self.warnings: Sequence[str] = ()
        self.takes_token = False

    def start(self, deadline: float) -> None:
        """Load the model.

        Args:
            deadline: seconds that it may take, and may take again after it broke.

        Raises:
            LoadFailed: it cannot be loaded, took longer, or was closed meanwhile.
        """
        self._load_deadline = deadline
        with self._turn:
            self._start()

    def answer(self, request: ScoringRequest) -> Any:
        """The document that answers a scoring request.

        Raises:
            BadInput: the input data does not fit the model.
            ScoringTimedOut: it took longer than the deadline.
            ScoringFailed: the model broke, or cannot be loaded again after it broke.
        """
        with self._turn:
            reply = self._asked(request)
        if "document" in reply:
            return reply["document"]
        if "bad_input" in reply:
            raise BadInput(_without_token(reply["bad_input"]))
        raise ScoringFailed(_without_token(reply.get("failed", "It answered what the service does not understand.")))

    def close(self) -> None:
        """End the process at once; who waits for it gets an error."""
        with self._state:
            self._closed = True
            child = self._child
        if child:
            child.kill()

    def interrupt(self) -> None:
        """End the process at once."""
        self.close()

    def _asked(self, request: ScoringRequest) -> dict[str, Any]:
        try:
            child = self._child or self._start()
        except LoadFailed as failure:
            raise ScoringFailed(f"The model broke before and cannot be loaded again. {failure}") from failure
        with self._dropped_when_broken():
            message = {"payload": request.payload, "schema": request.schema, "deadline": self._deadline}
            if self.takes_token:
                message["token"] = request.token
            reply: dict[str, Any] = child.ask(message, self._deadline)
            return reply

    @contextlib.contextmanager
    def _dropped_when_broken(self) -> Iterator[None]:
        try:
            yield
        except Ended as end:
            self._child = None
            kind = ScoringTimedOut if isinstance(end, TooSlow) else ScoringFailed
            # Without the cause, whose text may hold the token: a function may have printed it last.
            raise kind(_without_token(f"The process of the model {end}.")) from None

    def _start(self) -> WorkerProcess:
        with self._state:
            if self._closed:
                raise LoadFailed("Its deployment was deleted, or the service was closed.")
            child = self._child = WorkerProcess(self._arguments, self._folder)
        try:
            reply = child.ask({"deadline": self._load_deadline}, self._load_deadline)
        except Ended as end:
            self._child = None
            raise LoadFailed(f"The process of the model {end} while it was loaded.") from end
        if "load_failed" in reply:
            self._child = None
            child.kill()
            raise (RunsCode if reply.get("runs_code") else LoadFailed)(reply["load_failed"])
        self.written_by, self.warnings = str(reply["written_by"]), tuple(map(str, reply["warnings"]))
        self.takes_token = bool(reply["takes_token"])
        return child


def _without_token(text: str) -> str:
    return _TOKEN.sub("<token>", text)
