"""Pauses the imports of one thread, so that the end of the process has the interpreter to itself.

A framework takes seconds to import, nothing stops an import from outside, and it shares the interpreter with the thread
that ends the process. Measured with TensorFlow 2.21 on two cores, from Ctrl-C to the end of an embedded run, medians of
7 runs each, 0.3, 1 and 2 s after the import began: 1.3, 1.4 and 1.7 s with the pause; 2.6, 3.2 and 2.7 s without. A
shorter `sys.setswitchinterval` gains nothing. Where the process does not end, as in a notebook, the import goes on
after the pause: one that is broken off leaves a framework that cannot be imported again.

This module can go when TensorFlow runs in a process of its own by default, as the other frameworks do.
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


def pause_imports(thread: int, seconds: float = _SECONDS) -> None:
    """Make a thread wait before the next module that it imports.

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
