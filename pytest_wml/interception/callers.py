"""Who calls, told from the stack: IBM's clients, or somebody else."""

from __future__ import annotations

import sys
from types import FrameType

_IBMS = frozenset({"ibm_watson_machine_learning", "ibm_watsonx_ai"})


def _package(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] if isinstance(name, str) else ""


def ibms_client_calls(depth: int) -> bool:
    """Whether the frame `depth` above this function's caller is one of IBM's clients."""
    return _package(sys._getframe(depth + 1)) in _IBMS


def ibms_client_asks() -> bool:
    """Whether one of IBM's clients is anywhere on the stack; also through the awaits of a coroutine."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _package(frame) in _IBMS:
            return True
        frame = frame.f_back
    return False


def package_calls(package: str) -> bool:
    """Whether a package is among the few nearest callers."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(8):
        if frame is None:
            return False
        if _package(frame) == package:
            return True
        frame = frame.f_back
    return False
