"""Shortens the end of an interrupted run by excluding objects from garbage collection.

TensorFlow consists of a million objects. At the end pytest collects garbage ten times, and Python once, and each
collection visits all objects: with TensorFlow loaded, Ctrl-C takes 2.2 s instead of 1.7 s on two idle cores. Frozen
objects are not visited. Remove this module when pytest no longer collects garbage at the end of an interrupted run.
"""

from __future__ import annotations

import gc

import pytest


def exclude_from_collection(config: pytest.Config) -> None:
    """Exclude all existing objects from garbage collection until pytest's configuration is closed.

    After that a program that called pytest collects them again. Does nothing if other code has frozen objects.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        config.add_cleanup(gc.unfreeze)
