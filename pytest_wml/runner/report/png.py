"""An array as a small PNG in a `data:` URI."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST = 64
"""Maximal pixels of a side; of larger images every n-th pixel is used."""
_LEAST = 8
"""Minimal pixels of a side of a flat row that counts as an image; a table's row of four columns does not."""
_COLOURS = {1: 0, 3: 2, 4: 6}
"""PNG's colour types by number of channels: grey, RGB, RGBA."""


def data_uri(image: NDArray[Any]) -> str:
    """A PNG of an image; empty if the row is not an image.

    Args:
        image: [side * side], [height, width], [height, width, channels] or [channels, height, width] with 1, 3 or
            4 channels; values 0 to 1 or 0 to 255; other values are scaled to that range.
    """
    pixels = _pixels(image)
    if pixels is None:
        return ""
    step = math.ceil(max(pixels.shape[:2]) / _LARGEST)
    return "data:image/png;base64," + base64.b64encode(_png(_bytes(pixels[::step, ::step]))).decode("ascii")


def _pixels(image: NDArray[Any]) -> NDArray[Any] | None:
    """The row as [height, width, channels]."""
    if image.size == 0 or image.dtype.kind not in "fiub":
        return None
    if image.ndim == 1 and (side := math.isqrt(image.size)) >= _LEAST and side * side == image.size:
        return image.reshape(side, side, 1)
    if image.ndim == 2 and min(image.shape) > 1:
        return image[..., None]
    if image.ndim == 3 and image.shape[2] in _COLOURS:
        return image
    if image.ndim == 3 and image.shape[0] in _COLOURS:
        return np.moveaxis(image, 0, 2)
    return None


def _bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.nan_to_num(pixels.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 255:
        values, high = (values - low) / ((high - low) or 1.0), 1.0
    grey: NDArray[np.uint8] = np.rint(values * (255 if high <= 1 else 1)).astype(np.uint8)
    return grey


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file: signature, header, one block of data, end (W3C, Portable Network Graphics Specification)."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    lines = b"".join(b"\0" + pixels[line].tobytes() for line in range(height))
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
