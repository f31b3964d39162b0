"""Lists package versions for a bug report, without importing the packages."""

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
    """Yield a line for each package, pytest-wml first, and the platform last."""
    yield f"pytest-wml {__version__}"
    yield f"python {platform.python_version()} ({platform.python_implementation()})"
    for name in _PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name} not installed"
    yield f"platform {platform.platform()}"
