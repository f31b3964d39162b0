"""Replace attributes, and put back what was there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Patches:
    """Attributes that are replaced until `undo` is called, the last one first."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by what `make` returns for the present value; a missing one is left."""
        before = getattr(owner, name, None)
        if before is not None:
            self._undo.append((owner, name, before))
            setattr(owner, name, make(before))

    def undo(self) -> None:
        """Put everything back."""
        while self._undo:
            owner, name, before = self._undo.pop()
            setattr(owner, name, before)
