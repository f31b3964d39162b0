"""Model-contract tests for IBM Watson Machine Learning: replayed, embedded or live.

A public name is imported when it is first used, since pytest imports this package in every project.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pytest_wml._version import __version__

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.client.scoring import Prediction
    from pytest_wml.emulator.app import EmbeddedWML
    from pytest_wml.errors import WMLTestError
    from pytest_wml.interception import open_door
    from pytest_wml.runner.standalone import WmlDeployment, embedded
    from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

_MODULES = {
    "DEFAULT_SPACE_ID": "wml.spaces",
    "Deployment": "client.deployment",
    "EmbeddedWML": "emulator.app",
    "Prediction": "client.scoring",
    "WMLTestError": "errors",
    "WmlDeployment": "runner.standalone",
    "embedded": "runner.standalone",
    "open_door": "interception",
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
    if name not in _MODULES:
        raise AttributeError(f"module 'pytest_wml' has no attribute {name!r}")
    return getattr(importlib.import_module(f"pytest_wml.{_MODULES[name]}"), name)
