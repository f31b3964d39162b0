"""Do something as soon as a module has been imported, or at once if it already is."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


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
    ) -> importlib.machinery.ModuleSpec | None:
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


def _find(
    after: MetaPathFinder, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> importlib.machinery.ModuleSpec | None:
    """Ask the finders behind this one: asking all of them would let two doors ask each other for ever."""
    finders = list(sys.meta_path)
    for finder in finders[finders.index(after) + 1 :]:
        spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return spec
    return None
