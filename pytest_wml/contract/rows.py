"""What a check is given: images or other rows, labels, tolerances; whatever cannot be checked is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.reading import read_image

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.signature import TensorSpec

_IMAGES = (".npy", ".png")

Given = Any
"""An array [N, …], a path or a list of paths to `.npy` or `.png` files, or a mapping of input names to arrays."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch of rows, one array an input.

    Args:
        arrays: [N, …] by input name; under the empty name for a model with one input.
    """

    arrays: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def given(self) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """What `Deployment.predict` takes."""
        return self.arrays[""] if "" in self.arrays else dict(self.arrays)

    def take(self, rows: NDArray[np.intp] | slice) -> Rows:
        """Some of the rows, in the order asked for."""
        return Rows({name: array[rows] for name, array in self.arrays.items()})

    def images(self, rows: Iterable[int | None]) -> dict[int, NDArray[Any]]:
        """The images of some rows, where the model takes one array of numbers."""
        array, *others = self.arrays.values()
        if others or array.dtype.kind not in "fiub" or array.ndim < 2:
            return {}
        return {row: array[row] for row in rows if row is not None}


def rows_of(deployment: Deployment, given: Given) -> Rows:
    """Read what a check was given.

    Raises:
        BadContract: it is empty, ragged, not a number, cannot be read, or its inputs differ in length.
    """
    signature = deployment.archive.signature
    specs = {spec.name: spec for spec in signature.inputs} if signature else {}
    if isinstance(given, Rows):
        return given
    if not isinstance(given, Mapping):
        only = next(iter(specs.values())) if len(specs) == 1 else None
        return Rows({"": _array(given, only, "the rows")})
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


def _array(given: Given, spec: TensorSpec | None, called: str) -> NDArray[Any]:
    array = _read(given, called)
    if array.dtype.kind in "US" and spec is not None and spec.dtype != "string":
        raise _unreadable(called, f"text, where the model takes {spec}")
    if array.size == 0:
        raise _empty(called)
    if array.ndim == 0 or _is_one_row(array, spec):
        array = array[None]
    check_finite(array, called)
    return array


def _read(given: Given, called: str) -> NDArray[Any]:
    if _is_file(given):
        return read_image(Path(given))
    if isinstance(given, (list, tuple)) and given and all(map(_is_file, given)):
        given = [read_image(Path(one)) for one in given]
    try:
        array = np.asarray(given)
        array = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except (ValueError, TypeError) as error:
        raise _unreadable(called, str(error)) from None
    if array.dtype.kind not in "fiubU":
        raise _unreadable(called, f"values of numpy type {array.dtype}")
    return array


def _is_file(one: object) -> bool:
    """Whether it is a path: any text may be a row of a model that takes text."""
    return isinstance(one, Path) or (isinstance(one, str) and one.lower().endswith(_IMAGES))


def _is_one_row(array: NDArray[Any], spec: TensorSpec | None) -> bool:
    if spec is None or spec.shape is None or not spec.shape:
        return False
    row = spec.shape[1:]
    if None in row:
        return array.ndim == len(row)
    size = math.prod(length or 0 for length in row)
    return array.shape == row or (array.size == size and array.shape[0] != 1 and bool(row))


def check_finite(array: NDArray[Any], called: str) -> None:
    """Refuse what is not a number: JSON cannot carry it, and no answer to it means anything.

    Raises:
        BadContract: NaN or an infinity is among the values.
    """
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return
    places = np.argwhere(~np.isfinite(array))
    rows = sorted({int(place[0]) for place in places})
    raise BadContract(
        f"There are values that are no numbers in {called}.",
        rows=", ".join(map(str, rows[:8])) + (f" and {len(rows) - 8} more" if len(rows) > 8 else ""),
        first=f"{array[tuple(places[0])]} at {places[0].tolist()}",
        fix="clean the data: numpy.isfinite(rows).all() must be true",
    )


def _empty(called: str) -> BadContract:
    return BadContract(f"There is nothing to check: {called} are empty.", fix="give at least one row")


def _unreadable(called: str, reason: str) -> BadContract:
    return BadContract(
        f"Unreadable: {called} are no array.",
        reason=reason,
        fix="give an array [N, …] whose rows have one shape, or paths of .npy or .png files",
    )


def labels_of(given: ArrayLike, length: int) -> NDArray[Any]:
    """Labels as text, one a row: 5, 5.0, "5" and True compare as people mean them.

    Raises:
        BadContract: they are not one a row.
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
            "The labels are not one a row.",
            given=f"shape {list(labels.shape)}",
            fix="give one class a row; for one-hot rows labels.argmax(axis=1)",
        )
    if len(labels) != length:
        raise BadContract(
            "Labels and images differ in number.", labels=len(labels), images=length, fix="give one label an image"
        )
    return as_text(labels)


def as_text(classes: NDArray[Any]) -> NDArray[Any]:
    """Classes as text; whole numbers without a fraction, whatever type they have."""
    if classes.dtype.kind == "b":
        classes = classes.astype(np.int64)
    if classes.dtype.kind == "f" and np.isfinite(classes).all() and (classes == np.floor(classes)).all():
        classes = classes.astype(np.int64)
    plain = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in classes.tolist()]
    return np.asarray(plain, dtype=np.str_)
