"""What a bug report needs: the versions of all that takes part, without loading any of it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from pytest_wml._version import __version__

_PACKAGES = (
    "pytest",
    "ibm-watson-machine-learning",
    "ibm-watsonx-ai",
    "tensorflow",
    "keras",
    "tf-keras",
    "numpy",
    "vcrpy",
    "werkzeug",
    "pytest-xdist",
)


def lines() -> Iterator[str]:
    """Yield a line for each, ours first, the platform last."""
    yield f"pytest-wml {__version__}"
    yield f"python {platform.python_version()} ({platform.python_implementation()})"
    for name in _PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name} not installed"
    yield f"platform {platform.platform()}"
