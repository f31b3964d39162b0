"""SIGTERM and Ctrl-C: the first asks for an end, the second is one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Signals:
    """Takes the signals that end a program, inside a with block.

    Args:
        folder: removed before a second signal ends the process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        # Written to by the interpreter itself: a lock taken here, in a handler, might be held by who is interrupted.
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._woken.close()
        self._waker.close()

    def wait(self) -> None:
        """Return when the first signal has come."""
        while not self._asked:
            self._woken.recv(1)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(128 + number)
        self._asked = True
