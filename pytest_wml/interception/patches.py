"""Replaces attributes, now or after a module has been imported, and restores the original values.

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
    # Not a NamedTuple: creating that class takes longer than the rest of this module, which every pytest run loads.
    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any], before: Any) -> None:
        self.owner = owner
        self.name = name
        self.make = make
        self.before = before
        self.inherited = name not in vars(owner)


class Patches:
    """Replaced attributes; `undo` restores them in reverse order."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by `make(current value)`; does nothing if the attribute is missing."""
        before = getattr(owner, name, None)
        if before is None:
            return
        self._patches.append(_Patch(owner, name, make, before))
        setattr(owner, name, make(before))

    def reapply(self) -> None:
        """Replace again the attributes that other code restored; leaves those that other code replaced."""
        for patch in self._patches:
            now = vars(patch.owner).get(patch.name, patch.before)
            if now is patch.before:
                setattr(patch.owner, patch.name, patch.make(patch.before))

    def undo(self) -> None:
        """Restore all attributes."""
        while self._patches:
            patch = self._patches.pop()
            if not patch.inherited:
                setattr(patch.owner, patch.name, patch.before)
            elif patch.name in vars(patch.owner):
                delattr(patch.owner, patch.name)


class AfterImport(MetaPathFinder):
    """Calls functions after named modules have been imported; an import finder that finds no module itself.

    Args:
        callbacks: full name of a module → function.
    """

    def __init__(self, callbacks: Mapping[str, Callable[[], None]]) -> None:
        self._callbacks = dict(callbacks)

    def install(self) -> None:
        """Call the functions of modules that are already loaded, and watch for the others."""
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

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            callback = self._callbacks.pop(fullname, None)
            if callback is not None and self in sys.meta_path:
                callback()

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec


def _find(after: MetaPathFinder, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """Search the finders after this one; searching all of them would make two open doors call each other endlessly."""
    finders = list(sys.meta_path)
    for finder in finders[finders.index(after) + 1 :]:
        spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return spec
    return None
