"""Labelled samples: a folder of `class/image.png` or `.npy`, or an `.npz` with its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.config import similar_names
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.files.rows import IMAGES
from pytest_wml.contract.reading import read_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = "labels"
_IMAGES_OF_NPZ = "images"
_FORMS = "give a folder of class/image.png or .npy, or an .npz with `labels` and `images` (or an array for each input)"


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows with their classes.

    Args:
        rows: an array [N, …], or one for each input by its name.
        labels: [N].
        files: the file of each row; empty for an .npz.
    """

    rows: NDArray[Any] | Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    files: tuple[Path, ...] = ()

    def row(self, number: int) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """One of the rows."""
        if isinstance(self.rows, Mapping):
            return {name: array[number] for name, array in self.rows.items()}
        return np.asarray(self.rows[number])


def read_samples(path: Path) -> Samples:
    """Read a folder or an .npz file.

    Raises:
        BadContract: there are none, or they cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - zipfile's and zlib's own errors for a damaged file
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None
    labels = arrays.pop(LABELS, None)
    if labels is None or not arrays or any(array.shape[:1] != labels.shape[:1] for array in arrays.values()):
        told = ", ".join(
            f"{name} {list(array.shape)}" for name, array in {LABELS: labels, **arrays}.items() if array is not None
        )
        raise _unreadable(path, f"it holds {told or 'nothing'}")
    if labels.ndim != 1 or not len(labels):
        raise _unreadable(path, f"labels have shape {list(labels.shape)}, and one a row is needed")
    return Samples(arrays[_IMAGES_OF_NPZ] if set(arrays) == {_IMAGES_OF_NPZ} else arrays, labels)


def _of_folder(folder: Path) -> Samples:
    files = sorted(
        (file for label in folder.iterdir() if label.is_dir() for file in label.iterdir()),
        key=lambda file: (file.parent.name, file.name),
    )
    files = [file for file in files if file.suffix.lower() in IMAGES and not file.name.startswith(".")]
    if not files:
        raise _unreadable(folder, "no folder in it holds a .png or .npy file")
    images = [read_image(file) for file in files]
    for file, image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise _unreadable(
                file, f"its shape is {list(image.shape)}, that of {files[0].name} {list(images[0].shape)}"
            )
    return Samples(np.stack(images), np.asarray([file.parent.name for file in files]), tuple(files))


def _unreadable(path: Path, reason: str) -> BadContract:
    facts = {"file": path, "reason": reason, "there_is": similar_names.files(path)}
    return BadContract("The samples are unreadable.", **facts, fix=_FORMS)


def digits() -> Samples:
    """The clearest of each of MNIST's digits, shipped with the package."""
    from pytest_wml.digits import load_digits

    shipped = load_digits()
    return Samples(np.stack([shipped[label] for label in shipped]), np.asarray(list(shipped)))
