"""Imports that take seconds, and what Ctrl-C does in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def importing(what: str) -> Iterator[None]:
    """An import that takes seconds, in the main thread.

    An interrupt inside is raised as one that says what it interrupted, without the import's own frames: they explain
    nothing, and pytest parses the source of each file among them, which takes seconds where there are hundreds.

    Args:
        what: is imported, such as `TensorFlow`.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"while {what} was imported") from None
