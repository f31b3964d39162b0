"""Reads and validates the rows and labels that a check is called with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.image_files import read_image

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.signature import TensorSpec

_IMAGES = (".npy", ".png")

RowsLike = Any
"""An array [N, …], a path or a list of paths to `.npy` or `.png` files, or a mapping of input names to arrays."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch of rows, with one array for each input.

    Args:
        arrays: [N, …] by input name; a model with one input has the empty name.
    """

    arrays: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def model_input(self) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """The rows in the form that `Deployment.predict` takes."""
        return self.arrays[""] if "" in self.arrays else dict(self.arrays)

    def take(self, rows: NDArray[np.intp] | slice) -> Rows:
        """The selected rows, in the given order."""
        return Rows({name: array[rows] for name, array in self.arrays.items()})

    def images(self, rows: Iterable[int | None]) -> dict[int, NDArray[Any]]:
        """The images of the given rows by row number; empty unless the model has one numeric input."""
        array, *others = self.arrays.values()
        if others or array.dtype.kind not in "fiub" or array.ndim < 2:
            return {}
        return {row: array[row] for row in rows if row is not None}


def rows_of(deployment: Deployment, given: RowsLike) -> Rows:
    """Read the rows that a check was called with.

    Raises:
        BadContract: the rows are empty, ragged, not finite or unreadable, or the inputs differ in length.
    """
    signature = deployment.archive.signature
    specs = {spec.name: spec for spec in signature.inputs} if signature else {}
    if isinstance(given, Rows):
        return given
    if not isinstance(given, Mapping):
        spec = next(iter(specs.values())) if len(specs) == 1 else None
        return Rows({"": _array(given, spec, "the rows")})
    arrays = {name: _array(values, specs.get(name), f"input {name!r}") for name, values in given.items()}
    if not arrays:
        raise _empty("the mapping of inputs")
    if len({len(array) for array in arrays.values()}) > 1:
        raise BadContract(
            "The inputs have different lengths.",
            lengths=", ".join(f"{name}: {len(array)}" for name, array in arrays.items()),
            fix="give one row of each input for every row",
        )
    return Rows(arrays)


def _array(given: RowsLike, spec: TensorSpec | None, description: str) -> NDArray[Any]:
    array = _read(given, description)
    if array.dtype.kind in "US" and spec is not None and spec.dtype != "string":
        raise _unreadable(description, f"they are text, but the model takes {spec}")
    if array.size == 0:
        raise _empty(description)
    if array.ndim == 0 or _is_one_row(array, spec):
        array = array[None]
    check_finite(array, description)
    return array


def _read(given: RowsLike, description: str) -> NDArray[Any]:
    if _is_image_path(given):
        return read_image(Path(given))
    if isinstance(given, (list, tuple)) and given and all(map(_is_image_path, given)):
        given = [read_image(Path(item)) for item in given]
    try:
        array = np.asarray(given)
        array = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except (ValueError, TypeError) as error:
        raise _unreadable(description, str(error)) from None
    if array.dtype.kind not in "fiubU":
        raise _unreadable(description, f"they have the numpy type {array.dtype}")
    return array


def _is_image_path(item: object) -> bool:
    """Whether a value is a path of an image; other text may be a row of a model that takes text."""
    return isinstance(item, Path) or (isinstance(item, str) and item.lower().endswith(_IMAGES))


def _is_one_row(array: NDArray[Any], spec: TensorSpec | None) -> bool:
    if spec is None or spec.shape is None or not spec.shape:
        return False
    row = spec.shape[1:]
    if None in row:
        return array.ndim == len(row)
    size = math.prod(length or 0 for length in row)
    return array.shape == row or (array.size == size and array.shape[0] != 1 and bool(row))


def check_finite(array: NDArray[Any], description: str) -> None:
    """Require finite numbers: JSON has no NaN and no infinity.

    Raises:
        BadContract: a value is NaN or infinite.
    """
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return
    positions = np.argwhere(~np.isfinite(array))
    rows = sorted({int(position[0]) for position in positions})
    raise BadContract(
        f"Values of {description} are NaN or infinite.",
        rows=", ".join(map(str, rows[:8])) + (f" and {len(rows) - 8} more" if len(rows) > 8 else ""),
        first=f"{array[tuple(positions[0])]} at {positions[0].tolist()}",
        fix="clean the data: numpy.isfinite(rows).all() must be true",
    )


def _empty(description: str) -> BadContract:
    return BadContract(f"There is nothing to check: {description} are empty.", fix="give at least one row")


def _unreadable(description: str, reason: str) -> BadContract:
    return BadContract(
        f"Unreadable: {description} cannot be converted to an array.",
        reason=reason,
        fix="give an array [N, …] whose rows have one shape, or paths of .npy or .png files",
    )


def labels_of(given: ArrayLike, length: int) -> NDArray[Any]:
    """Labels as text, one for each row; 5, 5.0 and "5" are equal, and True equals 1.

    Raises:
        BadContract: there is not exactly one label for each row.
    """
    try:
        labels = np.asarray(given)
    except (ValueError, TypeError):
        labels = np.empty((0, 0))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 0 and length == 1:
        labels = labels[None]
    if labels.ndim != 1:
        raise BadContract(
            "The labels are not a list with one class for each row.",
            given=f"shape {list(labels.shape)}",
            fix="give one class for each row; for one-hot rows labels.argmax(axis=1)",
        )
    if len(labels) != length:
        raise BadContract(
            "The numbers of labels and images differ.",
            labels=len(labels),
            images=length,
            fix="give one label for each image",
        )
    return as_text(labels)


def as_text(classes: NDArray[Any]) -> NDArray[Any]:
    """Classes as text; whole numbers of any type are written without a fraction."""
    if classes.dtype.kind == "b":
        classes = classes.astype(np.int64)
    if classes.dtype.kind == "f" and np.isfinite(classes).all() and (classes == np.floor(classes)).all():
        classes = classes.astype(np.int64)
    plain = [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in classes.tolist()]
    return np.asarray(plain, dtype=np.str_)
