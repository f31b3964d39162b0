"""Cancels a call of TensorFlow from another thread.

TensorFlow's own class for it is not public, and nothing public does it. It frees the processor that a graph without an
end would keep busy until the process ends (tests/emulator/test_hanging.py). This module can go when TensorFlow has a
public way to cancel a call, or runs in a process of its own by default.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def cancellable() -> Iterator[Callable[[], None]]:
    """Graphs called inside end with `tf.errors.CancelledError` once what is given is called, from any thread.

    A loop ends before its next round. An operation that waits for something outside (a file that is a pipe) does not.
    """
    try:
        # A TensorFlow without it cancels nothing.
        from tensorflow.python.eager.cancellation import CancellationManager, CancellationManagerContext
    except ImportError:
        yield lambda: None
        return
    manager = CancellationManager()
    with CancellationManagerContext(manager):
        yield manager.start_cancel
