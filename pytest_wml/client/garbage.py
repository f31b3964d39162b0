"""Python's garbage collector, resting while IBM's client is imported."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def resting() -> Iterator[None]:
    """Nothing is collected inside, and what is made there counts as old from then on.

    IBM's client and what it imports are some 100,000 objects that live as long as the process: to visit them while
    they are made, and again while they are young, finds nothing. Full collections visit them as ever, and whatever
    becomes garbage is found as ever. Where somebody has frozen objects, these stay so, and nothing is made old.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Freezing moves everything out of the generations, and thawing into the oldest, without a visit.
        if hasattr(gc, "freeze") and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()
