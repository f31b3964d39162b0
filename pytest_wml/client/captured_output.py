"""Captures the output of IBM's client: banners around each deployment, and notes from the service."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

_RULE = re.compile(r"\s*#*-*\s*")
_NOTE = re.compile(r"\b(note|warning|error|deprecat)", re.IGNORECASE)


class _CapturedOutput:
    """A standard output that captures the text of one thread and passes on that of other threads."""

    def __init__(self, original: TextIO) -> None:
        self._original = original
        self._thread = threading.get_ident()
        self._parts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return self._original.write(text)
        self._parts.append(text)
        return len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)


@contextlib.contextmanager
def capture() -> Iterator[None]:
    """Capture the output of this thread.

    At the end, only its notes, warnings and errors are printed. If the block fails, all lines are printed except
    rules and empty lines.
    """
    before = sys.stdout
    output: Any = _CapturedOutput(before)
    sys.stdout = output
    try:
        yield
    except BaseException:
        _restore(output, before)
        _print(line for line in output.text.splitlines() if not _RULE.fullmatch(line))
        raise
    finally:
        _restore(output, before)
    _print(line for line in output.text.splitlines() if _NOTE.search(line))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _restore(output: Any, before: TextIO) -> None:
    # pytest may have replaced sys.stdout in the meantime; its own object stays.
    if sys.stdout is output:
        sys.stdout = before
