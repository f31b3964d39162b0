"""From the values of a scoring request to arrays, with nothing converted that does not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_wml.emulator.runtimes.protocol import BadInput
from pytest_wml.model.serving import Family

Array = npt.NDArray[Any]

_JSON_NAMES = {
    float: "float",
    int: "integer",
    bool: "boolean",
    str: "string",
    type(None): "null",
    dict: "object",
    list: "list",
}
# Numbers without a fraction are numbers too. null is how both clients write the NaN of a data frame, and how
# ibm-watsonx-ai writes every NaN.
_TAKEN: dict[Family, set[type]] = {
    "float": {float, int, type(None)},
    "integer": {int},
    "boolean": {bool},
    "string": {str},
}


@dataclass(frozen=True)
class Input:
    """One tensor that a model takes."""

    name: str
    dtype: str
    """As TensorFlow names it, such as `float32`."""
    family: Family
    numpy_dtype: npt.DTypeLike
    shape: tuple[int | None, ...] | None
    """None in a place means any length; None as a whole, any shape."""

    def __str__(self) -> str:
        return f"Input '{self.name}' takes {self.dtype} of shape {_written(self.shape)}"


def named_arrays(inputs: Sequence[Input], input_data: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """The arrays of a scoring request by the name of the input they are for.

    A model with one input takes one element, with or without `id`; a model with several takes one element
    for each, distinguished by `id`. `fields` names columns, which tensors do not have, and is not read.

    Raises:
        BadInput: an element is unknown, missing or given twice, or its values do not fit.
    """
    given: dict[str, Any] = {}
    for element in input_data:
        name = _input_name(inputs, element.get("id"))
        if name in given:
            raise BadInput(f"Input '{name}' is given more than once.")
        given[name] = element["values"]
    missing = [spec.name for spec in inputs if spec.name not in given]
    if missing:
        raise BadInput(f"Values are missing for: {', '.join(missing)}.")
    return {spec.name: array(spec, given[spec.name]) for spec in inputs}


def _input_name(inputs: Sequence[Input], wanted: object) -> str:
    if wanted is None and len(inputs) == 1:
        return inputs[0].name
    for spec in inputs:
        if spec.name == wanted:
            return spec.name
    names = ", ".join(spec.name for spec in inputs)
    if wanted is None:
        raise BadInput(f"The model has several inputs, so each element of input_data needs an 'id': {names}.")
    if not isinstance(wanted, str):
        raise BadInput(f"The 'id' of an element must be a string, one of: {names}.")
    raise BadInput(f"The model has no input '{wanted[:100]}'; it has: {names}.")


def array(spec: Input, values: Any) -> Array:
    """The values as an array of the input's dtype and of their own shape.

    An empty list is a batch of zero rows.

    Raises:
        BadInput: rows of different lengths, another shape or dtype than the input's, a number out of range.
    """
    if values == [] and spec.shape and spec.shape[0] is None:
        return np.empty([length or 0 for length in spec.shape], dtype=spec.numpy_dtype)
    shape, flat = _flattened(spec, values)
    kinds = set(map(type, flat))
    if not kinds <= _TAKEN[spec.family]:
        raise BadInput(f"{spec}; got {_kinds_shown(kinds, flat)} values of shape {_written(shape)}.")
    if not _fits(spec.shape, shape):
        raise BadInput(f"{spec}; got shape {_written(shape)}.")
    return _converted(spec, flat).reshape(shape)


def _flattened(spec: Input, values: Any) -> tuple[tuple[int, ...], list[Any]]:
    # Level by level, each at the speed of C. numpy's own reading of nested lists turns [1, "a"] into strings,
    # and gives each element the memory of the longest.
    shape: list[int] = []
    level = [values]
    while (kinds := set(map(type, level))) == {list}:
        lengths = set(map(len, level))
        if len(lengths) > 1:
            found = ", ".join(map(str, sorted(lengths)))
            raise BadInput(f"{spec}; got ragged rows: lists of lengths {found} at depth {len(shape) + 1}.")
        shape.append(lengths.pop())
        level = list(chain.from_iterable(level))
    if list in kinds:
        raise BadInput(f"{spec}; got ragged rows: lists and single values side by side at depth {len(shape)}.")
    return tuple(shape), level


def _converted(spec: Input, flat: list[Any]) -> Array:
    if spec.family == "string":
        return _encoded(spec, flat)
    if spec.family == "integer":
        return _integers(spec, flat)
    if spec.family == "boolean":
        return np.array(flat, dtype=np.bool_)
    return _floats(spec, flat)


def _floats(spec: Input, flat: list[Any]) -> Array:
    try:
        doubles = np.array(flat, dtype=np.float64)
    except OverflowError:
        raise BadInput(f"{spec}; got an integer that is out of its range.") from None
    with np.errstate(over="ignore"):
        cast = doubles.astype(spec.numpy_dtype)
    if not np.array_equal(np.isinf(cast), np.isinf(doubles)):
        raise BadInput(f"{spec}; got a number that is out of its range.")
    return cast


def _integers(spec: Input, flat: list[int]) -> Array:
    limits = np.iinfo(np.dtype(spec.numpy_dtype))
    if flat and (min(flat) < limits.min or max(flat) > limits.max):
        raise BadInput(f"{spec}; got a number outside {limits.min} to {limits.max}.")
    return np.array(flat, dtype=spec.numpy_dtype)


def _encoded(spec: Input, flat: list[str]) -> Array:
    try:
        encoded = [text.encode() for text in flat]
    except UnicodeEncodeError:
        raise BadInput(f"{spec}; got a string with half of a surrogate pair, which is no text.") from None
    return np.array(encoded, dtype=object)


def _fits(wanted: tuple[int | None, ...] | None, shape: tuple[int, ...]) -> bool:
    if wanted is None:
        return True
    return len(wanted) == len(shape) and all(length in (None, came) for length, came in zip(wanted, shape, strict=True))


def _kinds_shown(kinds: set[type], flat: list[Any]) -> str:
    names = " and ".join(sorted(_JSON_NAMES.get(kind, kind.__name__) for kind in kinds))
    if float in kinds and any(isinstance(value, float) and math.isnan(value) for value in flat):
        return f"{names} (among them NaN)"
    return names


def _written(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return "any rank"
    return f"[{', '.join('?' if length is None else str(length) for length in shape)}]"
