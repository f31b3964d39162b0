"""Model-contract tests for IBM Watson Machine Learning: replayed, embedded or live.

Public names are loaded when they are first used, since pytest imports this package in every project.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_wml.deployment import Deployment
    from pytest_wml.door import open_door
    from pytest_wml.embedded import EmbeddedWML
    from pytest_wml.errors import WMLTestError
    from pytest_wml.scoring import Prediction
    from pytest_wml.spaces import DEFAULT_SPACE_ID
    from pytest_wml.standalone import WmlDeployment, embedded

__version__ = "0.1.0"

_HOMES = {
    "DEFAULT_SPACE_ID": "spaces",
    "Deployment": "deployment",
    "EmbeddedWML": "embedded",
    "Prediction": "scoring",
    "WMLTestError": "errors",
    "WmlDeployment": "standalone",
    "embedded": "standalone",  # a package has this name too, see there
    "open_door": "door",
}

__all__ = [
    "DEFAULT_SPACE_ID",
    "Deployment",
    "EmbeddedWML",
    "Prediction",
    "WMLTestError",
    "WmlDeployment",
    "__version__",
    "embedded",
    "open_door",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pytest_wml' has no attribute {name!r}")
    return getattr(importlib.import_module(f"pytest_wml.{_HOMES[name]}"), name)
