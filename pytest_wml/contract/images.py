"""Which rows are images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_FLAT = {784: (28, 28)}
"""Columns of a flat row that is an image: MNIST and the data sets made after it. Any other number may be a table's."""
_CHANNELS = (1, 3, 4)
_LEAST_SIDE = 8
"""A row of two axes with a shorter side is more likely a sequence."""


class Layout(NamedTuple):
    """How a row is read as an image.

    Args:
        shape: of the row with an axis for height and one for width.
        height: the axis of the height; that of the width comes next.
    """

    shape: tuple[int, ...]
    height: int = 0


def layout(row: Sequence[int]) -> Layout | None:
    """How a row is read where it is meant as an image; None where it cannot be one.

    Args:
        row: its shape: [784], [height, width], [height, width, channels] or [channels, height, width].
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
    """Whether a row's shape alone shows that it is an image.

    Two axes do so only where they are square: [steps, features] are a sequence.

    Args:
        row: its shape.
    """
    if len(row) == 2:
        return row[0] == row[1] >= _LEAST_SIDE
    return layout(row) is not None
