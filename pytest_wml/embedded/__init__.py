"""The embedded WML: a WSGI app that IBM's own clients accept and that really scores."""

from __future__ import annotations

import importlib
import sys
from contextlib import AbstractContextManager
from types import ModuleType

from pytest_wml.embedded.app import EmbeddedWML
from pytest_wml.spaces import DEFAULT_SPACE_ID

__all__ = ["DEFAULT_SPACE_ID", "EmbeddedWML"]


class _Callable(ModuleType):
    """This package under the name of the function `pytest_wml.embedded`, which its import would hide."""

    def __call__(self, *, allow_pickle: bool = False) -> AbstractContextManager[EmbeddedWML]:
        opened: AbstractContextManager[EmbeddedWML] = importlib.import_module("pytest_wml.standalone").embedded(
            allow_pickle=allow_pickle
        )
        return opened


sys.modules[__name__].__class__ = _Callable
