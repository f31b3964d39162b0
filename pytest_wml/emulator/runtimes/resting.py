"""An import in a thread that rests, so that the end of the process has the interpreter for itself.

A framework takes seconds to import, and nothing stops an import from outside. It shares the interpreter with the thread
that ends the process, which takes twice as long by that. Where the process does not end, as in a notebook, the import
goes on: it is not broken off, since a framework that is half imported cannot be imported again.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_SECONDS = 5.0


def rest(thread: int, seconds: float = _SECONDS) -> None:
    """Let a thread wait before the next module that it imports.

    Args:
        thread: its identifier, from `threading.get_ident`.
        seconds: how long from now on.
    """
    sys.meta_path.insert(0, _Finder(thread, time.monotonic() + seconds))


class _Finder(MetaPathFinder):
    """Finds what the others find, with a loader that waits: a finder itself holds the lock of all imports."""

    def __init__(self, thread: int, until: float) -> None:
        self._thread = thread
        self._until = until

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if time.monotonic() >= self._until:
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            return None
        if threading.get_ident() != self._thread:
            return None
        spec = self._found(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._until)
        return spec

    def _found(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        others = (finder for finder in list(sys.meta_path) if finder is not self and hasattr(finder, "find_spec"))
        return next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)


class _Loader(Loader):
    """Waits, and then loads as the loader in its place does."""

    def __init__(self, loader: Any, until: float) -> None:
        self._loader = loader
        self._until = until

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        time.sleep(max(0.0, self._until - time.monotonic()))
        spec.loader = self._loader
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
