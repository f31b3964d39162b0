"""IBM's clients wait between polls; where nothing is worth waiting for, their waits take no time."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pytest_wml.door.patches import Patches

_IBMS = ("ibm_watson_machine_learning", "ibm_watsonx_ai")


def _from_ibm(depth: int = 2) -> bool:
    name = sys._getframe(depth).f_globals.get("__name__", "")
    return isinstance(name, str) and name.partition(".")[0] in _IBMS


def skip(patches: Patches, skipped: Callable[[float], None]) -> None:
    """Make `time.sleep` return at once when IBM's client calls it.

    IBM's client looks `time.sleep` up at each call, partly after an import inside the function, so its
    modules cannot be given a clock of their own; everybody else's sleeps stay real.

    Args:
        patches: remembers what to put back.
        skipped: told the seconds of each wait that was left out.
    """

    def without_waiting(before: Callable[[float], None]) -> Callable[[float], None]:
        @functools.wraps(before)
        def sleep(seconds: float) -> None:
            if _from_ibm():
                skipped(float(seconds))
                seconds = 0
            before(seconds)

        return sleep

    patches.replace(time, "sleep", without_waiting)


def skip_awaits(patches: Patches, skipped: Callable[[float], None]) -> None:
    """The same for `asyncio.sleep`; imported only once asyncio has been."""
    import asyncio

    def without_awaiting(before: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(before)
        def sleep(delay: float, result: Any = None) -> Coroutine[Any, Any, Any]:
            if _from_ibm():
                skipped(float(delay))
                delay = 0
            return before(delay, result)

        return sleep

    patches.replace(asyncio, "sleep", without_awaiting)
