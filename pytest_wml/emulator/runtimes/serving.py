"""Which signatures of a SavedModel can be served, told without TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pytest_wml.emulator.runtimes.protocol import LoadFailed

Family = Literal["float", "integer", "boolean", "string"]

DEFAULT_SIGNATURE = "serving_default"

_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"b?float\d+(_e\w+)?", "float"),
    (r"u?int\d+", "integer"),
    (r"bool", "boolean"),
    (r"string", "string"),
)


def served_name(names: Sequence[str]) -> str:
    """The signature that is served: `serving_default`, else the only one there is.

    Raises:
        LoadFailed: there is none, or several of which none is the default.
    """
    if DEFAULT_SIGNATURE in names:
        return DEFAULT_SIGNATURE
    if len(names) == 1:
        return names[0]
    if not names:
        raise LoadFailed("The SavedModel has no signature.")
    told = ", ".join(sorted(names))
    raise LoadFailed(f"The SavedModel has several signatures and none is '{DEFAULT_SIGNATURE}': {told}.")


def family_of(whose: str, dtype: str) -> Family:
    """The JSON values that go with a dtype, which is named as TensorFlow does: `float32`.

    Raises:
        LoadFailed: there are none.
    """
    for pattern, family in _FAMILIES:
        # A variable of TensorFlow 1 that is told as it is has the type of a reference.
        if re.fullmatch(pattern, dtype.removesuffix("_ref")):
            return family
    raise LoadFailed(f"{whose} is of dtype {dtype}, which JSON cannot carry.")


def require_inputs(count: int) -> None:
    """Check that a signature takes anything at all.

    Raises:
        LoadFailed: it has no input, so that no request could be scored.
    """
    if not count:
        raise LoadFailed("The served signature has no inputs: it takes nothing, and a request has rows.")


def not_dense_output(name: str) -> LoadFailed:
    """Why an output that is sparse or ragged is not served."""
    return LoadFailed(f"Output '{name}' is sparse or ragged, which is not known to be written as JSON.")


def require_rows(name: str, shape: Sequence[int | None] | None) -> None:
    """Check that an input takes rows; a shape of None is any.

    Raises:
        LoadFailed: it takes a single value, and no rows.
    """
    if shape is not None and not len(shape):
        raise LoadFailed(f"Input '{name}' has no batch axis: it takes a single value, and a request has rows.")
