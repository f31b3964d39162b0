"""Small changes of images that must not change their class.

The results are equal on every machine and with every release of numpy: a replay answers only requests that were
recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.images import Layout, layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

Images = Any


def image_transforms(
    *,
    shape: Sequence[int] | None = None,
    pixels: int = 1,
    noise: float = 0.05,
    brightness: float = 0.1,
    seed: int = 0,
) -> dict[str, Callable[[Images], Images]]:
    """The built-in transforms: shifts in four directions, noise, brighter, darker.

    Each transform takes images [N, 784], [N, height, width], [N, height, width, channels] or [N, channels, height,
    width]. It returns images of the same shape, type and range of values.

    Args:
        shape: (height, width) or (height, width, channels) of one image; required for flat rows whose length is not
            784.
        pixels: size of a shift; the pixels of the edge are repeated.
        noise: the largest change of a pixel, as a share of the images' range of values.
        brightness: change of all pixels, as a share of the range.
        seed: random seed of the noise.

    Raises:
        BadContract: the shape is not the shape of an image.
    """
    image = None if shape is None else _image_layout(shape)
    moves = {"up": (-pixels, 0), "down": (pixels, 0), "left": (0, -pixels), "right": (0, pixels)}
    return {
        **{f"shift {name}": _shift(*move, image) for name, move in moves.items()},
        "noise": _noise(noise, seed),
        "brighter": _brighter(brightness),
        "darker": _brighter(-brightness),
    }


def _image_layout(shape: Sequence[int]) -> Layout:
    lengths = tuple(shape)
    if len(lengths) not in (2, 3) or not all(isinstance(length, int) and length > 0 for length in lengths):
        raise BadContract(
            "This is not the shape of an image.", given=shape, fix="give (height, width) or (height, width, channels)"
        )
    return Layout(lengths)


def _shift(down: int, right: int, image: Layout | None) -> Callable[[Images], Images]:
    def shift(images: Images) -> Images:
        shape, axis = _layout(images, image)
        planes = images.reshape(len(images), *shape)
        for number, pixels in ((axis + 1, down), (axis + 2, right)):
            length = planes.shape[number]
            planes = planes.take(np.clip(np.arange(length) - pixels, 0, length - 1), axis=number)
        return planes.reshape(images.shape)

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
    """The changed images, in the type and range of values of the original images."""
    if images.dtype.kind in "iu":
        changed = np.rint(changed)
    low = float(images.min())
    return np.clip(changed, low, low + _span(images)).astype(images.dtype)


def _layout(images: NDArray[Any], image: Layout | None) -> Layout:
    """The layout of each row as an image.

    Raises:
        BadContract: the rows are not images, or their size differs from the given shape.
    """
    row = images.shape[1:]
    found = image if image and len(row) == 1 else layout(row)
    if found and {math.prod(one.shape) for one in (found, image) if one} == {math.prod(row)}:
        return found
    raise BadContract(
        "These rows are not images that can be shifted.",
        given=f"shape {list(images.shape)}",
        image=f"shape {list(image.shape)}" if image else "",
        fix="flat images need their size: image_transforms(shape=(height, width)); for other rows give transforms of "
        "your own: {'name': function}",
    )
