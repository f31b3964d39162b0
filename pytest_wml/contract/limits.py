"""Validates numeric arguments of checks: tolerances, counts, shares."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pytest_wml.contract.errors import BadContract


def check_tolerance(name: str, value: float, dtypes: Iterable[str] = ("float32",)) -> float:
    """Return a valid tolerance: not below the precision of the answer's numbers.

    Args:
        name: name of the argument.
        value: absolute or relative tolerance.
        dtypes: types of the compared outputs.

    Raises:
        BadContract: the value is not a number, is negative, or is below the precision of the outputs.
    """
    floats = [_precision(dtype) for dtype in dtypes if "float" in dtype]
    least = max(floats, default=_precision("float32"))
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise BadContract(f"{name} is not a number: {value!r}.", fix=f"give a number of {least:.2g} or more")
    if value < least:
        raise BadContract(
            f"{name}={value:g} is below the precision of the answer's numbers.",
            least=f"{least:.2g}",
            fix="allow the rounding difference between two correct computations of the same model, such as 1e-5",
        )
    return float(value)


def _precision(dtype: str) -> float:
    return {"float64": 2.3e-16, "float16": 9.8e-4, "bfloat16": 7.9e-3}.get(dtype, 1.2e-7)


def check_count(name: str, value: Any, least: int) -> int:
    """Return a whole number that is not below the minimum.

    Raises:
        BadContract: the value is invalid.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise BadContract(f"{name} must be a whole number of {least} or more, not {value!r}.")
    return int(value)


def check_share(name: str, value: Any) -> float:
    """Return a share from 0 to 1.

    Raises:
        BadContract: the value is invalid.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise BadContract(f"{name} must be a share from 0 to 1, not {value!r}.", fix="95 % is 0.95")
    return float(value)
