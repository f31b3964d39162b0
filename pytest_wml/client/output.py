"""What IBM's client prints: banners around each deployment, and now and then a note from the service."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

_RULE = re.compile(r"\s*#*-*\s*")
_NOTE = re.compile(r"\b(note|warning|error|deprecat)", re.IGNORECASE)


class _Held:
    """A standard output that keeps what one thread prints; what others print goes through."""

    def __init__(self, through: TextIO) -> None:
        self._through = through
        self._thread = threading.get_ident()
        self._kept: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._through, name)

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return self._through.write(text)
        self._kept.append(text)
        return len(text)

    @property
    def kept(self) -> str:
        return "".join(self._kept)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Keep back what this thread prints inside: where the block fails it is printed after all, without rules and empty
    lines; else only the notes in it are.
    """
    before = sys.stdout
    output: Any = _Held(before)
    sys.stdout = output
    try:
        yield
    except BaseException:
        _put_back(output, before)
        _print(line for line in output.kept.splitlines() if not _RULE.fullmatch(line))
        raise
    finally:
        _put_back(output, before)
    _print(line for line in output.kept.splitlines() if _NOTE.search(line))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _put_back(output: Any, before: TextIO) -> None:
    # pytest's capture may have put another one in its place meanwhile, which is its own.
    if sys.stdout is output:
        sys.stdout = before
