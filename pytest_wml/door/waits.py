"""IBM's clients wait between polls; where nothing is worth waiting for, their waits take no time."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pytest_wml.door.callers import ibms_client_calls
from pytest_wml.door.patches import Patches


def skip(patches: Patches, skipped: Callable[[float], None], is_open: Callable[[], bool]) -> None:
    """Make `time.sleep` return at once when IBM's client calls it.

    IBM's client looks `time.sleep` up at each call, partly after an import inside the function, so its
    modules cannot be given a clock of their own; everybody else's sleeps stay real.

    Args:
        patches: remembers what to put back.
        skipped: told the seconds of each wait that was left out.
        is_open: whether the door is; who imported `sleep` by name meanwhile keeps this one.
    """

    def without_waiting(before: Callable[[float], None]) -> Callable[[float], None]:
        @functools.wraps(before)
        def sleep(seconds: float) -> None:
            if ibms_client_calls(1) and is_open():
                skipped(float(seconds))
                seconds = 0
            before(seconds)

        return sleep

    patches.replace(time, "sleep", without_waiting)


def skip_awaits(patches: Patches, skipped: Callable[[float], None], is_open: Callable[[], bool]) -> None:
    """The same for `asyncio.sleep`; imported only once asyncio has been."""
    import asyncio

    def without_awaiting(before: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(before)
        def sleep(delay: float, result: Any = None) -> Coroutine[Any, Any, Any]:
            if ibms_client_calls(1) and is_open():
                skipped(float(delay))
                delay = 0
            return before(delay, result)

        return sleep

    patches.replace(asyncio, "sleep", without_awaiting)
