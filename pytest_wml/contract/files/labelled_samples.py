"""Reads labelled samples from a folder of `class/image.png` or `.npy`, or from an `.npz` with labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.config import similar_names
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.files.rows import IMAGES
from pytest_wml.contract.image_files import read_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = "labels"
_IMAGES_OF_NPZ = "images"
_FORMS = "give a folder of class/image.png or .npy, or an .npz with `labels` and `images` (or an array for each input)"


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """Rows with their labels.

    Args:
        rows: an array [N, …], or arrays by input name.
        labels: [N] labels.
        files: the file of each row; empty for an `.npz`.
    """

    rows: NDArray[Any] | Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    files: tuple[Path, ...] = ()

    def row(self, number: int) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Return one row."""
        if isinstance(self.rows, Mapping):
            return {name: array[number] for name, array in self.rows.items()}
        return np.asarray(self.rows[number])


def read_samples(path: Path) -> LabelledSamples:
    """Read a folder or an .npz file.

    Raises:
        BadContract: there are no samples, or they cannot be read.
    """
    if path.is_dir():
        return _read_folder(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - errors of zipfile and zlib for a damaged file
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None
    labels = arrays.pop(LABELS, None)
    if labels is None or not arrays or any(array.shape[:1] != labels.shape[:1] for array in arrays.values()):
        arrays_found = ", ".join(
            f"{name} {list(array.shape)}" for name, array in {LABELS: labels, **arrays}.items() if array is not None
        )
        raise _unreadable(path, f"it contains {arrays_found or 'nothing'}")
    if labels.ndim != 1 or not len(labels):
        raise _unreadable(path, f"the labels have shape {list(labels.shape)}, but one label for each row is required")
    return LabelledSamples(arrays[_IMAGES_OF_NPZ] if set(arrays) == {_IMAGES_OF_NPZ} else arrays, labels)


def _read_folder(folder: Path) -> LabelledSamples:
    files = sorted(
        (file for label in folder.iterdir() if label.is_dir() for file in label.iterdir()),
        key=lambda file: (file.parent.name, file.name),
    )
    files = [file for file in files if file.suffix.lower() in IMAGES and not file.name.startswith(".")]
    if not files:
        raise _unreadable(folder, "none of its folders contains a .png or .npy file")
    images = [read_image(file) for file in files]
    for file, image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise _unreadable(
                file, f"its shape is {list(image.shape)}, but {files[0].name} has shape {list(images[0].shape)}"
            )
    return LabelledSamples(np.stack(images), np.asarray([file.parent.name for file in files]), tuple(files))


def _unreadable(path: Path, reason: str) -> BadContract:
    facts = {"file": path, "reason": reason, "there_is": similar_names.files(path)}
    return BadContract("The samples are unreadable.", **facts, fix=_FORMS)


def packaged_digits() -> LabelledSamples:
    """The packaged MNIST digits: one clear image of each digit."""
    from pytest_wml.digits import load_digits

    shipped = load_digits()
    return LabelledSamples(np.stack([shipped[label] for label in shipped]), np.asarray(list(shipped)))
