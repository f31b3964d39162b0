"""The door: connections to IBM's hosts end in this process, at a WSGI app.

Public names are loaded when they are first used: every start of pytest imports some of this package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wml.interception.door import IBMS_CLIENT, Door, NotThroughTheDoor, fails_closed, open_door, passage

__all__ = ["IBMS_CLIENT", "Door", "NotThroughTheDoor", "fails_closed", "open_door", "passage"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pytest_wml.interception' has no attribute {name!r}")
    return getattr(importlib.import_module("pytest_wml.interception.door"), name)
