"""A runtime whose model lives in this process, and is called by threads that nobody has to wait for."""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_wml.emulator.runtimes.import_pause import pause_imports
from pytest_wml.emulator.runtimes.protocol import (
    Runtime,
    ScoringFailed,
    ScoringRequest,
    ScoringTimedOut,
    as_load_failed,
    as_scoring_failed,
)
from pytest_wml.model.serving import LoadFailed

# What a call that was cancelled may still take before its thread is given up.
_GRACE = 1.0


class _Call:
    """What a thread is to do, and what came of it."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do
        self.ended = threading.Event()
        self.given_up = False
        self.thread = 0
        """The identifier of the thread that does it; 0 before."""
        self._cancel: Callable[[], None] | None = None
        self._result: Any = None
        self._problem: BaseException | None = None

    def run(self) -> None:
        self.thread = threading.get_ident()
        # Imported here: it needs TensorFlow, which the first model imports, and whose threads these are.
        from pytest_wml.emulator.runtimes.cancellation import cancellable

        try:
            with cancellable() as self._cancel:
                self._result = self._do()
        except BaseException as problem:  # noqa: BLE001 raised in the thread that waits
            self._problem = problem

    def cancel(self) -> None:
        if self._cancel:
            self._cancel()

    def give_up(self) -> None:
        """Let who waits go on; the thread follows when it can."""
        self.given_up = True
        self.cancel()
        self.ended.set()

    def result(self) -> Any:
        if self._problem:
            raise self._problem
        return self._result


class InProcessRuntime:
    """A model in this process: what hangs there fails a request, which is answered in time.

    A graph without an end is stopped by TensorFlow. What cannot be stopped keeps its thread, which does not keep the
    process from ending; until it comes back the model is not asked again.

    Args:
        module: name of the runtime's module beside this one.
        archive: where the archive was unpacked.
        deadline: seconds that a scoring may take.
    """

    def __init__(self, module: str, archive: Path, *, deadline: float) -> None:
        self._module = module
        self._archive = archive
        self._deadline = deadline
        self._lock = threading.Lock()
        self._closed = False
        self._idle: list[queue.SimpleQueue[_Call | None]] = []
        self._loading = _Call(as_load_failed()(self._load))
        self._runtime: Runtime | None = None
        self._stuck: list[_Call] = []
        self.written_by = ""
        self.warnings: Sequence[str] = ()
        self.takes_token = False

    def start(self, deadline: float) -> None:
        """Load the model.

        Args:
            deadline: seconds that it may take.

        Raises:
            LoadFailed: it cannot be loaded, took longer, or was closed meanwhile.
        """
        if not self._ended(self._loading, deadline):
            raise LoadFailed(f"The model was not loaded within {deadline:g} s.")
        if self._loading.given_up:
            raise LoadFailed("Its deployment was deleted, or the service was closed.")
        runtime: Runtime = self._loading.result()
        self._runtime, self.written_by, self.warnings = runtime, runtime.written_by, runtime.warnings

    def answer(self, request: ScoringRequest) -> Any:
        """The document that answers a scoring request.

        Raises:
            BadInput: the input data does not fit the model.
            ScoringTimedOut: it took longer than the deadline.
            ScoringFailed: the model broke, or a scoring that took too long still runs.
        """
        if any(not call.ended.is_set() for call in self._stuck):
            raise ScoringFailed(
                f"A scoring that did not end within {self._deadline:g} s still runs, "
                "so the model is not asked again. Isolated (isolate_tensorflow) it would have been ended."
            )
        assert self._runtime
        runtime = self._runtime
        call = _Call(as_scoring_failed()(lambda: runtime.answer(request)))
        if not self._ended(call, self._deadline):
            raise ScoringTimedOut(f"The model did not answer within {self._deadline:g} s.")
        return call.result()

    def close(self) -> None:
        """Stop loading, and let the threads go; what is being scored is finished."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)
        if not self._loading.ended.is_set():
            self._loading.give_up()

    def interrupt(self) -> None:
        """Close; a framework that is being imported is paused, so that the process can end."""
        if self._loading.thread and not self._loading.ended.is_set():
            pause_imports(self._loading.thread)
        self.close()

    def _load(self) -> Runtime:
        # A framework takes seconds to import, so it is imported by the first model that needs it.
        try:
            loader = importlib.import_module(f"{__package__}.{self._module}").load
        except ImportError as problem:
            raise LoadFailed(f"What the model needs cannot be imported by the embedded service: {problem}") from problem
        runtime: Runtime = loader(self._archive)
        return runtime

    def _ended(self, call: _Call, deadline: float) -> bool:
        self._inbox().put(call)
        if call.ended.wait(deadline):
            return True
        call.cancel()
        if not call.ended.wait(_GRACE):
            self._stuck.append(call)
        return False

    def _inbox(self) -> queue.SimpleQueue[_Call | None]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        inbox: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(inbox,), name="wml-model", daemon=True).start()
        return inbox

    def _work(self, inbox: queue.SimpleQueue[_Call | None]) -> None:
        going = True
        while going and (call := inbox.get()):
            call.run()
            with self._lock:
                going = not self._closed
                if going:
                    self._idle.append(inbox)
            call.ended.set()
            del call  # it holds the request and its answer
