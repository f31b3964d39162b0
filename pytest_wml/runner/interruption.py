"""Ends an interrupted run within two seconds, although pytest and Python look for garbage before they end.

TensorFlow is a million objects. pytest visits them all ten times at its end, and Python once: with TensorFlow loaded,
Ctrl-C takes 3.3 s instead of 1.3 s on two idle cores. Frozen objects are not visited. This can go when pytest does not
collect garbage at the end of an interrupted run.
"""

from __future__ import annotations

import gc

import pytest


def exclude_from_collection(config: pytest.Config) -> None:
    """Exclude all present objects from garbage collection until pytest's configuration is closed.

    A program that called pytest goes on after that, and its garbage is found. Nothing changes where somebody has frozen
    objects before.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        config.add_cleanup(gc.unfreeze)
