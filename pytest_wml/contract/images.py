"""Recognises rows that are images, by their shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_FLAT = {784: (28, 28)}
"""Image shape by the length of a flat row: MNIST and its successors. Rows of other lengths may be tables."""
_CHANNELS = (1, 3, 4)
_LEAST_SIDE = 8
"""A row of two axes with a shorter side is probably a sequence."""


class Layout(NamedTuple):
    """Layout of a row as an image.

    Args:
        shape: shape of the row, with one axis for height and one for width.
        height: number of the height axis; the width axis follows it.
    """

    shape: tuple[int, ...]
    height: int = 0


def layout(row: Sequence[int]) -> Layout | None:
    """The layout of a row as an image; None if it cannot be an image.

    Args:
        row: the row's shape: [784], [height, width], [height, width, channels] or [channels, height, width].
    """
    row = tuple(row)
    if len(row) == 1 and row[0] in _FLAT:
        return Layout(_FLAT[row[0]])
    if len(row) == 2 and min(row) > 1:
        return Layout(row)
    if len(row) == 3 and row[2] in _CHANNELS:
        return Layout(row)
    return Layout(row, 1) if len(row) == 3 and row[0] in _CHANNELS else None


def is_image(row: Sequence[int]) -> bool:
    """Whether the shape of a row identifies it as an image.

    A row of two axes is an image only if they are equal: [steps, features] is a sequence.

    Args:
        row: the row's shape.
    """
    if len(row) == 2:
        return row[0] == row[1] >= _LEAST_SIDE
    return layout(row) is not None
