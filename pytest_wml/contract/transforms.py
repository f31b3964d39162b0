"""Changes of an image that people hardly see.

Every number is made by operations that come out alike on every machine and every release of numpy: a recording
answers only what was asked when it was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.findings import BadContract

if TYPE_CHECKING:
    from numpy.typing import NDArray

Images = Any
_CHANNELS = (1, 3, 4)


def image_transforms(
    *, pixels: int = 1, noise: float = 0.05, brightness: float = 0.1, seed: int = 0
) -> dict[str, Callable[[Images], Images]]:
    """The ready set: shifts in four directions, noise, brighter, darker.

    Each takes images [N, side * side], [N, height, width] or [N, height, width, channels] and gives as many of
    the same shape and type, within the range of values that they had.

    Args:
        pixels: of a shift; what comes in at an edge is the edge's own pixels.
        noise: the largest change of a pixel, a share of the images' range of values.
        brightness: share of the range by which all pixels change.
        seed: of the noise.
    """
    moves = {"up": (-pixels, 0), "down": (pixels, 0), "left": (0, -pixels), "right": (0, pixels)}
    return {
        **{f"shift {name}": _shift(*move) for name, move in moves.items()},
        "noise": _noise(noise, seed),
        "brighter": _brighter(brightness),
        "darker": _brighter(-brightness),
    }


def _shift(down: int, right: int) -> Callable[[Images], Images]:
    def shift(images: Images) -> Images:
        planes = _planes(images)
        height, width = planes.shape[1:3]
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        return planes[:, rows][:, :, columns].reshape(images.shape)

    return shift


def _noise(share: float, seed: int) -> Callable[[Images], Images]:
    def noise(images: Images) -> Images:
        steps = np.random.RandomState(seed).randint(-64, 65, size=images.shape) / 64
        return _within(images, images.astype(np.float64) + steps * (share * _span(images)))

    return noise


def _brighter(share: float) -> Callable[[Images], Images]:
    def brighter(images: Images) -> Images:
        return _within(images, images.astype(np.float64) + share * _span(images))

    return brighter


def _span(images: NDArray[Any]) -> float:
    return float(images.max()) - float(images.min()) or 1.0


def _within(images: NDArray[Any], changed: NDArray[np.float64]) -> NDArray[Any]:
    """The changed images in the type and range of values of the ones before."""
    if images.dtype.kind in "iu":
        changed = np.rint(changed)
    low = float(images.min())
    return np.clip(changed, low, low + _span(images)).astype(images.dtype)


def _planes(images: NDArray[Any]) -> NDArray[Any]:
    """The images as [N, height, width, …].

    Raises:
        BadContract: they are no images that could be shifted.
    """
    if images.ndim == 2 and math.isqrt(images.shape[1]) ** 2 == images.shape[1] > 1:
        side = math.isqrt(images.shape[1])
        return images.reshape(len(images), side, side)
    if images.ndim == 3 or (images.ndim == 4 and images.shape[3] in _CHANNELS):
        return images
    raise BadContract(
        "These rows are no images that could be shifted.",
        given=f"shape {list(images.shape)}",
        fix="give [N, side * side], [N, height, width] or [N, height, width, channels], or transforms of your own",
    )
