"""IBM's clients wait between polls; offline they wait no longer than what they poll for takes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pytest_wml.interception.callers import ibms_client_calls
from pytest_wml.interception.patches import Patches

Work = Callable[[float], bool]
"""Waits until what is polled for has changed, at most so many seconds; whether nothing is left to wait for."""


def skip(patches: Patches, skipped: Callable[[float], None], work: Work, is_open: Callable[[], bool]) -> None:
    """Make `time.sleep` return as soon as there is nothing to wait for when IBM's client calls it.

    IBM's client looks `time.sleep` up at each call, partly after an import inside the function, so its
    modules cannot be given a clock of their own; everybody else's sleeps stay real.

    Args:
        patches: remembers what to put back.
        skipped: called with the seconds of each wait that was left out.
        work: called in place of the wait.
        is_open: whether the door is; who imported `sleep` by name meanwhile keeps this one.
    """

    def without_waiting(before: Callable[[float], None]) -> Callable[[float], None]:
        @functools.wraps(before)
        def sleep(seconds: float) -> None:
            if ibms_client_calls(1) and is_open():
                skipped(float(seconds))
                work(float(seconds))
                seconds = 0
            before(seconds)

        return sleep

    patches.replace(time, "sleep", without_waiting)


def skip_awaits(patches: Patches, skipped: Callable[[float], None], work: Work, is_open: Callable[[], bool]) -> None:
    """The same for `asyncio.sleep`; imported only once asyncio has been."""
    import asyncio

    async def without_sleep(before: Callable[..., Coroutine[Any, Any, Any]], delay: float, result: Any) -> Any:
        # In another thread: the other tasks of the loop go on.
        if not work(0.0):
            await asyncio.to_thread(work, delay)
        return await before(0, result)

    def without_awaiting(before: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(before)
        def sleep(delay: float, result: Any = None) -> Coroutine[Any, Any, Any]:
            if ibms_client_calls(1) and is_open():
                skipped(float(delay))
                return without_sleep(before, float(delay), result)
            return before(delay, result)

        return sleep

    patches.replace(asyncio, "sleep", without_awaiting)
