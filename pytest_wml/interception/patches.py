"""Replace attributes, at once or as soon as a module has been imported, and put back what was there.

Loaded at every start of pytest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


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


class AfterImport(MetaPathFinder):
    """A finder that finds nothing itself and calls back after the named modules were loaded.

    Args:
        callbacks: what to call, by the full name of the module that it waits for.
    """

    def __init__(self, callbacks: Mapping[str, Callable[[], None]]) -> None:
        self._callbacks = dict(callbacks)

    def install(self) -> None:
        """Call back at once for what is loaded, and watch for the rest."""
        for name in [name for name in self._callbacks if name in sys.modules]:
            self._callbacks.pop(name)()
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._callbacks or self not in sys.meta_path:
            return None
        spec = _find(self, fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_tell(module: ModuleType) -> None:
            execute(module)
            callback = self._callbacks.pop(fullname, None)
            if callback is not None and self in sys.meta_path:
                callback()

        spec.loader.exec_module = execute_and_tell  # type: ignore[method-assign]
        return spec


def _find(after: MetaPathFinder, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """Ask the finders behind this one: asking all of them would let two doors ask each other for ever."""
    finders = list(sys.meta_path)
    for finder in finders[finders.index(after) + 1 :]:
        spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return spec
    return None
