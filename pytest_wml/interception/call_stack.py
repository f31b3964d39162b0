"""Finds out from the call stack whether one of IBM's clients, or another package, is calling."""

from __future__ import annotations

import sys
from types import FrameType

_IBMS = frozenset({"ibm_watson_machine_learning", "ibm_watsonx_ai"})


def _package(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] if isinstance(name, str) else ""


def is_ibms_client(depth: int) -> bool:
    """Whether the frame `depth` above this function's caller is code of one of IBM's clients."""
    return _package(sys._getframe(depth + 1)) in _IBMS


def contains_ibms_client() -> bool:
    """Whether code of one of IBM's clients is anywhere on the stack, also in an awaiting coroutine."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _package(frame) in _IBMS:
            return True
        frame = frame.f_back
    return False


def is_called_by(package: str) -> bool:
    """Whether code of a package is among the eight nearest frames."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(8):
        if frame is None:
            return False
        if _package(frame) == package:
            return True
        frame = frame.f_back
    return False
