"""A process of its own for one model, as it is inside."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import queue
import signal
import threading
from pathlib import Path
from typing import IO, Any

from pytest_wml.emulator.runtimes.frames import read_frame, write_frame
from pytest_wml.emulator.runtimes.protocol import (
    BadInput,
    RunsCode,
    Runtime,
    ScoringFailed,
    ScoringRequest,
    as_load_failed,
    as_scoring_failed,
)
from pytest_wml.model.serving import LoadFailed

_GRACE = 10.0


def main(module: str, folder: str, trusted: str) -> None:
    """Load a model, say how that went, then answer payloads until nobody listens any more.

    Args:
        module: name of the runtime's module.
        folder: where the archive was unpacked.
        trusted: `trusted` when code that is in the archive may run.
    """
    _die_first()
    requests, replies = _pipes()
    faulthandler.enable()
    messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, messages), daemon=True).start()
    runtime: Runtime | None = None
    while True:
        message = messages.get()
        # The service ends who is too slow. Where there is no service any more, and the model holds Python's lock
        # for good, so that nobody here can hear it, this ends the process without that lock.
        faulthandler.dump_traceback_later(message.pop("deadline") + _GRACE, exit=True)
        if runtime is None:
            runtime, reply = _loaded(module, Path(folder), trusted == "trusted")
        else:
            reply = _answered(runtime, ScoringRequest(**message))
        faulthandler.cancel_dump_traceback_later()
        _reply(replies, reply)


def _die_first() -> None:
    # Where memory runs out, Linux is to end this process, and not that of the tests.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    # What a model prints goes to the log; what it reads is empty.
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, replies


def _listen(requests: IO[bytes], messages: queue.SimpleQueue[dict[str, Any]]) -> None:
    # In a thread: also a model that never comes back must not outlive the service.
    try:
        while True:
            messages.put(read_frame(requests))
    except (EOFError, OSError, ValueError):
        _end_all()


def _end_all() -> None:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _loaded(module: str, folder: Path, trusted: bool) -> tuple[Runtime | None, dict[str, Any]]:
    try:
        with as_load_failed():
            runtime: Runtime = importlib.import_module(f"{__package__}.{module}").load(folder, trusted=trusted)
    except LoadFailed as failure:
        return None, {"load_failed": str(failure), "runs_code": isinstance(failure, RunsCode)}
    facts = {"written_by": runtime.written_by, "warnings": list(runtime.warnings), "takes_token": runtime.takes_token}
    return runtime, facts


def _answered(runtime: Runtime, request: ScoringRequest) -> dict[str, Any]:
    try:
        with as_scoring_failed():
            return {"document": runtime.answer(request)}
    except BadInput as problem:
        return {"bad_input": str(problem)}
    except ScoringFailed as problem:
        return {"failed": str(problem)}


def _reply(replies: IO[bytes], reply: dict[str, Any]) -> None:
    try:
        write_frame(replies, reply)
    except (TypeError, ValueError) as problem:
        write_frame(replies, {"failed": f"The answer is no JSON. {problem}"})
    except RecursionError:
        with contextlib.suppress(OSError):
            write_frame(replies, {"failed": "The answer is no JSON. It is nested too deeply."})
