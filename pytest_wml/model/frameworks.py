"""Frameworks that are imported on demand: whether one is installed, its slow import, and what it computes on."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

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


def device_name(backend: str) -> str:
    """Name the device that a Keras backend (``tensorflow``, ``jax``, ``torch``) uses: ``GPU: <name>`` or ``CPU``."""
    module: Any = importlib.import_module(backend)
    if backend == "tensorflow":
        found = module.config.list_physical_devices("GPU")
        name = module.config.experimental.get_device_details(found[0]).get("device_name") if found else None
    elif backend == "jax":
        found = [device for device in module.devices() if device.platform != "cpu"]
        name = found[0].device_kind if found else None
    else:
        found = [module.cuda.get_device_name()] if module.cuda.is_available() else []
        name = found[0] if found else None
    return f"GPU: {name or 'unnamed'}" if found else "CPU"


@contextlib.contextmanager
def importing(what: str) -> Iterator[None]:
    """An import that takes seconds, in the main thread.

    An interrupt inside is raised as one that says what it interrupted, without the import's own frames: they explain
    nothing, and pytest parses the source of each file among them, which takes seconds where there are hundreds.

    Args:
        what: is imported, such as `TensorFlow`.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"while {what} was imported") from None
