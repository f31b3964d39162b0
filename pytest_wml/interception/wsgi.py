"""The one interface between those who ask and those who answer: WSGI (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def body_of(blocks: Iterable[bytes]) -> bytes:
    """The whole body of an answer, which is closed then."""
    try:
        return b"".join(blocks)
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()
