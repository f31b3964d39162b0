"""Progress of long work: one line that is rewritten on a terminal, and next to nothing in a log."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TextIO

import pytest

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Shown:
    """Shows how long work goes; called with a line of text, each in place of the one before.

    On a terminal one line is rewritten, and gone at the end. In a log nothing is shown. Of work whose outcome is
    worth a line, such as a training, the last one is kept, on a terminal and in a log.

    Args:
        rewrite: puts text on the terminal's line; None where there is no terminal.
        keep: writes the line that is kept; None to keep none.
        among: holds this as long as its line is on the terminal.
    """

    def __init__(
        self,
        rewrite: Callable[[str], None] | None,
        keep: Callable[[str], None] | None = None,
        among: set[Shown] | None = None,
    ) -> None:
        self._rewrite = rewrite
        self._keep = keep
        self._among: set[Shown] = set() if among is None else among
        self._last = ""
        self._drawn = 0
        self._lock = threading.RLock()

    def __call__(self, line: str) -> None:
        """Show a line."""
        with self._lock:
            self._last = _CONTROL.sub(" ", line)
            if self._rewrite is not None:
                self._among.add(self)
                self._draw(self._last)

    def __enter__(self) -> Shown:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(ended_well=error is None)

    def close(self, *, ended_well: bool = True) -> None:
        """Take the line away; keep the last one where it is kept and the work ended well."""
        with self._lock:
            if self._drawn:
                self._draw("")
            self._among.discard(self)
            if self._last and self._keep is not None and ended_well:
                self._keep(self._last)
            self._last = ""

    def _draw(self, text: str) -> None:
        assert self._rewrite is not None
        # A line that is as wide as the terminal would go on in the next one, which no "\r" takes back.
        text = text[: max(10, shutil.get_terminal_size().columns - 1)]
        self._rewrite(f"\r{text.ljust(self._drawn)}" + ("" if text else "\r"))
        self._drawn = len(text)


_OPEN = pytest.StashKey[set[Shown]]()


def shown(config: pytest.Config, *, keep: bool = False) -> Shown:
    """What shows progress in a pytest run: also under its capture; from xdist's workers only what is kept.

    Args:
        config: pytest's.
        keep: whether the last line stays, as the only one in a log.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    # A worker has a terminal reporter too, but its terminal is nobody's; its standard error is the controller's.
    worker = getattr(config, "workerinput", {}).get("workerid", "")

    def write(text: str, *, whole: bool = False) -> None:
        with _its_own_output(), capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            if worker or reporter is None:
                print(f"[{worker}] {text}" if worker else text, file=sys.stderr, flush=True)
                return
            reporter.ensure_newline()
            if whole:
                reporter.write_line(text)
            else:
                sys.stdout.write(text)
            sys.stdout.flush()

    on_terminal = reporter is not None and not worker and reporter.isatty and _is_clever()
    return Shown(
        write if on_terminal else None,
        (lambda line: write(line, whole=True)) if keep else None,
        config.stash.setdefault(_OPEN, set()),
    )


@contextlib.contextmanager
def _its_own_output() -> Iterator[None]:
    """The standard output as it was, at the end: capture puts its own there when it goes on."""
    before = sys.stdout
    try:
        yield
    finally:
        sys.stdout = before


def end(config: pytest.Config) -> None:
    """Take away whatever line is still there: pytest is about to write."""
    for each in list(config.stash.get(_OPEN, ())):
        each.close(ended_well=False)


def on(stream: TextIO) -> Shown:
    """What shows progress without pytest, where the stream is a terminal."""

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return Shown(write if stream is not None and stream.isatty() and _is_clever() else None)


def _is_clever() -> bool:
    """Whether the terminal can rewrite a line; no colour and nothing but a carriage return is asked of it."""
    return os.environ.get("TERM", "") != "dumb"
