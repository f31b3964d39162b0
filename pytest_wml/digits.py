"""Real handwritten digits from MNIST, shipped with the package: ten a class."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import WMLTestError


class NoSuchDigit(WMLTestError, KeyError):
    """A digit was asked for that is none of 0 to 9."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Handwritten digits that the sample network was not trained on.

    ``digits[5]`` is a clear five; iterating gives the labels 0 to 9.

    Attributes:
        images: float32 [100, 784], pixels in 0..1, row by row; sorted by label, the clearest of each first.
        labels: int64 [100].
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __getitem__(self, label: int) -> npt.NDArray[np.float32]:
        """Give the clearest image of a digit: float32 [784], pixels in 0..1.

        Raises:
            NoSuchDigit: the label is none of 0 to 9; a KeyError too.
        """
        clearest: npt.NDArray[np.float32] = self.all_of(label)[0]
        return clearest

    def all_of(self, label: int) -> npt.NDArray[np.float32]:
        """Give every image of a digit: float32 [10, 784], the clearest first.

        Raises:
            NoSuchDigit: the label is none of 0 to 9; a KeyError too.
        """
        try:
            wanted = operator.index(label)
        except TypeError:
            wanted = -1
        found: npt.NDArray[np.float32] = self.images[self.labels == wanted]
        if not len(found):
            raise NoSuchDigit(
                f"There is no digit {label!r}.", fix="digits[0] to digits[9]; digits.images holds all images"
            )
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(range(10))

    def __contains__(self, label: object) -> bool:
        return label in range(10)

    def __len__(self) -> int:
        return len(self.labels)


@cache
def load_digits() -> Digits:
    """Load the shipped digits; the arrays are shared and read-only."""
    path = resources.files("pytest_wml") / "data" / "digits.npz"
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        images = arrays["images"].astype(np.float32) / np.float32(255)
        labels = arrays["labels"].astype(np.int64)
    images.flags.writeable = labels.flags.writeable = False
    return Digits(images, labels)
