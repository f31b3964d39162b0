"""Images from files."""

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
    """An array of a `.npy` file as it is, or a `.png` image as float32 [height, width], grey, in 0..1.

    Raises:
        BadContract: the file cannot be read, or Pillow is needed and not installed.
    """
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix.lower() == ".png":
            return _png(path)
        reason = f"{path.suffix or 'no ending'} is no kind of image file that is known here"
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
