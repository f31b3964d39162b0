"""Progress of long work: one line that is rewritten on a terminal, and at most one line in a log."""

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


class ProgressLine:
    """Shows the progress of work: each call replaces the text of the line.

    On a terminal the line is removed at the end. A log contains no progress. If `keep` is given, as for a training,
    the last text stays as a line, on a terminal and in a log.

    Args:
        rewrite: writes text on the terminal's current line; None without a terminal.
        keep: writes the last text as a line; None to discard it.
        visible: the set of lines that are on the terminal; this line adds and removes itself.
    """

    def __init__(
        self,
        rewrite: Callable[[str], None] | None,
        keep: Callable[[str], None] | None = None,
        visible: set[ProgressLine] | None = None,
    ) -> None:
        self._rewrite = rewrite
        self._keep = keep
        self._visible: set[ProgressLine] = set() if visible is None else visible
        self._last = ""
        self._width = 0
        self._lock = threading.RLock()

    def __call__(self, line: str) -> None:
        """Replace the text."""
        with self._lock:
            self._last = _CONTROL.sub(" ", line)
            if self._rewrite is not None:
                self._visible.add(self)
                self._draw(self._last)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(ended_well=error is None)

    def close(self, *, ended_well: bool = True) -> None:
        """Remove the line; keep the last text if `keep` was given and the work ended well."""
        with self._lock:
            if self._width:
                self._draw("")
            self._visible.discard(self)
            if self._last and self._keep is not None and ended_well:
                self._keep(self._last)
            self._last = ""

    def _draw(self, text: str) -> None:
        assert self._rewrite is not None
        # Text as wide as the terminal would wrap to the next line, which "\r" cannot rewrite.
        text = text[: max(10, shutil.get_terminal_size().columns - 1)]
        self._rewrite(f"\r{text.ljust(self._width)}" + ("" if text else "\r"))
        self._width = len(text)


_VISIBLE = pytest.StashKey[set[ProgressLine]]()


def progress_line(config: pytest.Config, *, keep: bool = False) -> ProgressLine:
    """A progress line in a pytest run, also while output is captured; workers of xdist show only kept lines.

    Args:
        config: pytest's.
        keep: whether the last text stays as a line.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    # The terminal reporter of a worker writes to no terminal; the worker's standard error is the controller's.
    worker = getattr(config, "workerinput", {}).get("workerid", "")

    def write(text: str, *, line: bool = False) -> None:
        with _restored_output(), capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            if worker or reporter is None:
                print(f"[{worker}] {text}" if worker else text, file=sys.stderr, flush=True)
                return
            reporter.ensure_newline()
            if line:
                reporter.write_line(text)
            else:
                sys.stdout.write(text)
            sys.stdout.flush()

    on_terminal = reporter is not None and not worker and reporter.isatty and _can_rewrite()
    return ProgressLine(
        write if on_terminal else None,
        (lambda text: write(text, line=True)) if keep else None,
        config.stash.setdefault(_VISIBLE, set()),
    )


@contextlib.contextmanager
def _restored_output() -> Iterator[None]:
    """Restore the standard output at the end, which pytest's capture replaces when it resumes."""
    before = sys.stdout
    try:
        yield
    finally:
        sys.stdout = before


def clear_lines(config: pytest.Config) -> None:
    """Remove all visible lines before pytest writes."""
    for line in list(config.stash.get(_VISIBLE, ())):
        line.close(ended_well=False)


def progress_line_on(stream: TextIO) -> ProgressLine:
    """A progress line without pytest; shown only if the stream is a terminal."""

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return ProgressLine(write if stream is not None and stream.isatty() and _can_rewrite() else None)


def _can_rewrite() -> bool:
    """Whether the terminal can rewrite a line, for which it needs to support the carriage return only."""
    return os.environ.get("TERM", "") != "dumb"
