"""Shortens the sleeps of IBM's clients between polls to the time that the polled operation takes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pytest_wml.interception.call_stack import is_ibms_client
from pytest_wml.interception.patches import Patches

Work = Callable[[float], bool]
"""Waits for a change of the polled state, at most the given seconds; returns whether nothing is left to wait for."""


def skip(patches: Patches, skipped: Callable[[float], None], work: Work, is_open: Callable[[], bool]) -> None:
    """Make `time.sleep`, called by IBM's client, return as soon as there is nothing to wait for.

    IBM's client reads `time.sleep` at each call, in some functions after an import inside the function, so its
    modules cannot be given another clock. Sleeps of all other code are unchanged.

    Args:
        patches: records the replaced attributes.
        skipped: called with the seconds of each skipped sleep.
        work: called in place of the sleep.
        is_open: whether the door is open; a module that imported `sleep` by name keeps the replacement.
    """

    def without_waiting(before: Callable[[float], None]) -> Callable[[float], None]:
        @functools.wraps(before)
        def sleep(seconds: float) -> None:
            if is_ibms_client(1) and is_open():
                skipped(float(seconds))
                work(float(seconds))
                seconds = 0
            before(seconds)

        return sleep

    patches.replace(time, "sleep", without_waiting)


def skip_awaits(patches: Patches, skipped: Callable[[float], None], work: Work, is_open: Callable[[], bool]) -> None:
    """Do the same for `asyncio.sleep`; called only after asyncio has been imported."""
    import asyncio

    async def without_sleep(before: Callable[..., Coroutine[Any, Any, Any]], delay: float, result: Any) -> Any:
        # In another thread, so that the other tasks of the loop continue.
        if not work(0.0):
            await asyncio.to_thread(work, delay)
        return await before(0, result)

    def without_awaiting(before: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(before)
        def sleep(delay: float, result: Any = None) -> Coroutine[Any, Any, Any]:
            if is_ibms_client(1) and is_open():
                skipped(float(delay))
                return without_sleep(before, float(delay), result)
            return before(delay, result)

        return sleep

    patches.replace(asyncio, "sleep", without_awaiting)
