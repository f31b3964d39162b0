"""Replace attributes, and put back what was there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Patch:
    # Not a NamedTuple, which takes longer to make than everything else here: this is loaded at every start of pytest.
    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any], before: Any) -> None:
        self.owner = owner
        self.name = name
        self.make = make
        self.before = before
        self.inherited = name not in vars(owner)


class Patches:
    """Attributes that are replaced until `undo` is called, the last one first."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by what `make` returns for the present value; a missing one is left."""
        before = getattr(owner, name, None)
        if before is None:
            return
        self._patches.append(_Patch(owner, name, make, before))
        setattr(owner, name, make(before))

    def renew(self) -> None:
        """Replace again what somebody put back meanwhile; what somebody else replaced for a time is left to them."""
        for patch in self._patches:
            now = vars(patch.owner).get(patch.name, patch.before)
            if now is patch.before:
                setattr(patch.owner, patch.name, patch.make(patch.before))

    def undo(self) -> None:
        """Put everything back."""
        while self._patches:
            patch = self._patches.pop()
            if not patch.inherited:
                setattr(patch.owner, patch.name, patch.before)
            elif patch.name in vars(patch.owner):
                delattr(patch.owner, patch.name)
