"""Between TensorFlow's tensors and what JSON carries."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from pytest_wml.emulator.runtimes.tensors import Input
from pytest_wml.model.serving import family_of, require_rows


def input_of(name: str, dtype: Any, shape: Sequence[int | None] | None) -> Input:
    """What the input of this name takes.

    Raises:
        LoadFailed: JSON values cannot fill it, or it takes a single value, and no rows.
    """
    require_rows(name, shape)
    return Input(
        name=name,
        dtype=dtype.name,
        family=family_of(f"Input '{name}'", dtype.name),
        numpy_dtype=dtype.as_numpy_dtype,
        shape=None if shape is None else tuple(shape),
    )


def values_of(tensor: Any) -> Any:
    """A tensor as nested lists: float32 as the double that it is, bytes as text."""
    array = np.asarray(tensor.numpy())
    if tensor.dtype == tf.string:
        return _decoded(array.tolist())
    # numpy has no bfloat16 and no float8 of its own, and makes no Python floats of them.
    return (array.astype(np.float32) if array.dtype.kind == "V" else array).tolist()


def _decoded(values: Any) -> Any:
    if isinstance(values, list):
        return [_decoded(value) for value in values]
    return values.decode(errors="replace")


def share_the_gpu() -> None:
    """Let TensorFlow take a GPU's memory as it needs it; by default it takes all, which a training would miss."""
    for gpu in tf.config.list_physical_devices("GPU"):
        # Too late when the device is in use already, and not for who has divided it up otherwise.
        with contextlib.suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)
