"""Digits drawn with characters, for a terminal or a report."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import BadPayload

# Nothing, upper half, lower half, both.
_HALVES = " ▀▄█"
_SHADES = " .:-=+*#%@"
_GAP = "  "


def draw_digit(image: npt.ArrayLike, *, encoding: str = "utf-8") -> str:
    """Draw a digit: 14 lines of 28 characters, two pixels a character.

    Args:
        image: [784], [28, 28] or [28, 28, 1], pixels in 0..1 or 0..255.
        encoding: of the terminal; where it lacks half blocks, ASCII shades are used.

    Raises:
        BadPayload: the image has another shape.
    """
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.shape not in ((784,), (28, 28), (28, 28, 1)):
        raise BadPayload(
            "Only an image of 28 by 28 pixels can be drawn.",
            wanted="[784], [28, 28] or [28, 28, 1]",
            given=list(pixels.shape),
        )
    pixels = np.nan_to_num(pixels.reshape(14, 2, 28))
    brightest = max(float(pixels.max()), 1e-9)
    upper, lower = pixels[:, 0] / brightest, pixels[:, 1] / brightest
    if _encodes(encoding):
        chosen, characters = (upper > 0.35) + 2 * (lower > 0.35), _HALVES
    else:
        shade = np.clip((upper + lower) / 2, 0, 1) * (len(_SHADES) - 1)
        chosen, characters = np.ceil(shade).astype(int), _SHADES
    return "\n".join("".join(characters[int(index)] for index in row) for row in chosen)


def side_by_side(blocks: Sequence[str], captions: Sequence[str] = ()) -> str:
    """Set drawings beside each other, each with its caption below it.

    Args:
        blocks: of any height; shorter ones are filled up with empty lines.
        captions: one for each block, or none at all; may have several lines.
    """
    columns = [
        (block.split("\n"), caption.split("\n")) for block, caption in zip_longest(blocks, captions, fillvalue="")
    ]
    height = max((len(lines) for lines, _ in columns), default=0)
    widths = [max(map(len, [*lines, *caption])) for lines, caption in columns]
    filled = [lines + [""] * (height - len(lines)) + caption for lines, caption in columns]
    rows = zip_longest(*filled, fillvalue="")
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _encodes(encoding: str) -> bool:
    try:
        _HALVES.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
