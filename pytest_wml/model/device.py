"""Where Keras computes."""

from __future__ import annotations

import importlib
from typing import Any


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
