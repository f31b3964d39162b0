"""Python's garbage collector, kept from looking at IBM's client again and again.

The client and what it imports are some 100,000 objects that live as long as the process. Each full collection would
visit them all, pytest's own two at the end of a run among these.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_frozen = False


@contextlib.contextmanager
def kept_out() -> Iterator[None]:
    """What is imported inside takes no part in collections from then on, until `let_in`.

    Garbage is collected first: what then is left lives anyway. Nothing is done where somebody else has frozen
    objects, since these could not be told apart, nor in a Python whose collector cannot do it.
    """
    global _frozen
    if not hasattr(gc, "freeze") or gc.get_freeze_count():
        yield
        return
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        _frozen = True
        if was_on:
            gc.enable()


def let_in() -> None:
    """Everything takes part again: what became garbage meanwhile is finalized at the end, as ever."""
    global _frozen
    if _frozen:
        _frozen = False
        gc.unfreeze()
