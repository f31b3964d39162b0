"""A process of its own for one model, as the service holds it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from pytest_wml.config.folders import IMPORTED_FROM
from pytest_wml.emulator.runtimes.frames import read_frame, write_frame
from pytest_wml.model.causes import last_words
from pytest_wml.redaction.names import Secrecy, secrecy

_OF_A_CLIENT = ("WML", "WATSON", "IBM")
# The folder of this package, last: no module of the caller's project is found by it, as none is at the service.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]);"
    "from pytest_wml.emulator.runtimes.worker_main import main; main(*sys.argv[2:])"
)
_LONGEST_TAIL = 1 << 16
"""Bytes of the output in which its last words are looked for."""
# What a process whose pipes are closed may take to end, in seconds.
_GRACE = 0.5


class Ended(Exception):
    """The process is gone; the message says how."""


class TooSlow(Ended):
    """The process was ended because it did not answer in time."""


class WorkerProcess:
    """A process that answers messages, one at a time.

    It ends by itself when this process is gone, however that came about: its end of the pipe says so.

    Args:
        arguments: what its `main` is called with.
        folder: its working directory.
    """

    def __init__(self, arguments: tuple[str, ...], folder: Path) -> None:
        self._lock = threading.Lock()
        self._reaped = False
        root = str(IMPORTED_FROM)
        # Without a name in the folder: what a function prints may be the token that it got.
        with contextlib.ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            self._process = subprocess.Popen(  # noqa: S603 this interpreter and our own program
                [sys.executable, "-P", "-c", _PROGRAM, root, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._output,
                cwd=folder,
                env=_environment(),
                start_new_session=True,
            )
            stack.pop_all()
        self._last_words = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, message: Any, deadline: float) -> Any:
        """What the process answers to a message.

        Args:
            message: anything that JSON can carry.
            deadline: seconds; after them the process is ended.

        Raises:
            TooSlow: it did not answer in time.
            Ended: it is gone.
        """
        assert self._process.stdin
        assert self._process.stdout
        late = threading.Event()
        timer = threading.Timer(deadline, self._late, [late])
        timer.daemon = True
        timer.start()
        try:
            write_frame(self._process.stdin, message)
            return read_frame(self._process.stdout)
        except (OSError, EOFError, ValueError) as problem:
            timer.cancel()
            lives = not late.is_set() and self._lives_on()
            self.kill()
            if late.is_set():
                raise TooSlow(f"did not answer within {deadline:g} s and was ended") from None
            reason = "closed or damaged its connection to the service, and was ended" if lives else self._end()
            raise Ended(reason) from problem
        finally:
            timer.cancel()

    def kill(self) -> None:
        """End the process and all that it started; may be called from any thread, and again."""
        with self._lock:
            if self._reaped:
                return
            # Before it is waited for: until then nobody else can get its number.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _kill_group(self._process)
            self._process.wait()
            self._last_words = _last_words(self._output)
            self._output.close()
            self._reaped = True
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert stream
                stream.close()

    def _late(self, late: threading.Event) -> None:
        late.set()
        self.kill()

    def _lives_on(self) -> bool:
        """Whether the process does not end by itself, now that nothing can be read from it."""
        if not hasattr(os, "waitid"):
            return False
        until = time.monotonic() + _GRACE
        try:
            # It is not waited for: who ends the group needs its number.
            while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if time.monotonic() > until:
                    return True
                time.sleep(0.01)
        except ChildProcessError:  # ended from here meanwhile
            pass
        return False

    def _end(self) -> str:
        code = self._process.returncode
        if code < 0:
            return f"ended by signal {_signal_name(-code)}"
        return f"ended with exit status {code}" + (f": {self._last_words}" if self._last_words else "")


def _environment() -> dict[str, str]:
    """This process's environment without secrets: the service does not know its callers' either."""
    return {
        name: value
        for name, value in os.environ.items()
        if secrecy(name) is Secrecy.NONE and not name.upper().startswith(_OF_A_CLIENT)
    }


def _last_words(output: IO[bytes]) -> str:
    size = os.fstat(output.fileno()).st_size
    output.seek(max(0, size - _LONGEST_TAIL))
    return last_words(output.read(_LONGEST_TAIL).decode("utf-8", "replace"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
