"""Reads images from `.npy` and `.png` files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.config import similar_names
from pytest_wml.contract.errors import BadContract

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIX = 'give .npy files, or .png files of grey images (read with Pillow: pip install "pytest-wml[images]")'


def read_image(path: Path) -> NDArray[Any]:
    """Read the array of a `.npy` file, or a `.png` image as grey float32 [height, width] in 0..1.

    Raises:
        BadContract: the file cannot be read, or a `.png` file needs Pillow and it is not installed.
    """
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix.lower() == ".png":
            return _png(path)
        reason = f"the file type is unknown: {path.suffix or 'no ending'}"
    except ImportError:
        reason = "Pillow is not installed"
    except (OSError, ValueError, EOFError, SyntaxError) as error:  # SyntaxError is Pillow's for a broken PNG
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    facts = {"file": path, "reason": reason, "there_is": similar_names.files(path)}
    raise BadContract("An image is unreadable.", **facts, fix=_FIX)


def _png(path: Path) -> NDArray[np.float32]:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            grey = np.asarray(image.convert("L"), dtype=np.float32)
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None
    return grey / np.float32(255)
