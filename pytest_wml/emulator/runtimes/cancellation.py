"""Stopping TensorFlow from another thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def cancellable() -> Iterator[Callable[[], None]]:
    """Graphs called inside end with `tf.errors.CancelledError` once what is given is called, from any thread.

    A loop ends before its next round. An operation that waits for something outside (a file that is a pipe) does not.
    """
    try:
        # Not public; a TensorFlow without it cancels nothing.
        from tensorflow.python.eager.cancellation import CancellationManager, CancellationManagerContext
    except ImportError:
        yield lambda: None
        return
    manager = CancellationManager()
    with CancellationManagerContext(manager):
        yield manager.start_cancel
