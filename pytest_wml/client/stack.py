"""Python's stack, with room for long work that begins far up in it."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TypeVar

T = TypeVar("T")


def _call(work: Callable[[], T]) -> T:
    return work()


_SLOTS = 1 << 16
_large_call = FunctionType(_call.__code__.replace(co_stacksize=_SLOTS), globals())


def with_room(work: Callable[[], T]) -> T:
    """What `work` returns, called with room for every frame that it will need.

    CPython keeps frames in chunks of 16 KiB (3.11 and later: `push_chunk` in Python/pystate.c). It asks the system for
    one, and gives it back, each time that a call crosses an end: a loop whose calls happen to lie there takes a hundred
    times as long. Whether one does depends on how deep pytest is. A frame of half a MiB gets a chunk of 1 MiB,
    with room for those behind it; of the chunk only what is used takes memory.
    """
    called: T = _large_call(work)
    return called
