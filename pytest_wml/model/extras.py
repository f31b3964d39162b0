"""Packages that an extra of pytest-wml brings."""

from __future__ import annotations

import importlib.util

from pytest_wml.errors import MissingExtra


def require(package: str, purpose: str) -> None:
    """Check that a package is installed, without importing it.

    Args:
        package: its import name.
        purpose: what it is needed for, as the end of "TensorFlow is needed …".

    Raises:
        MissingExtra: it is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(
            f"The package {package} is needed {purpose} and is not installed.",
            fix='pip install "pytest-wml[tensorflow]"  (with a GPU also: pip install "tensorflow[and-cuda]")',
        )
