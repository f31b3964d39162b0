"""Real handwritten digits from MNIST, included in the package: ten of each class."""

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
    """A requested label is not one of 0 to 9."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Handwritten digits that are not in the training data of the sample network.

    ``digits[5]`` is a clear five; iteration yields the labels 0 to 9.

    Attributes:
        images: float32 [100, 784], pixels in 0..1, row by row; sorted by label, and then the clearest first.
        labels: int64 [100].
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __getitem__(self, label: int) -> npt.NDArray[np.float32]:
        """Return the clearest image of a digit: float32 [784], pixels in 0..1.

        Raises:
            NoSuchDigit: the label is not one of 0 to 9; also a KeyError.
        """
        clearest: npt.NDArray[np.float32] = self.all_of(label)[0]
        return clearest

    def all_of(self, label: int) -> npt.NDArray[np.float32]:
        """Return all images of a digit: float32 [10, 784], the clearest first.

        Raises:
            NoSuchDigit: the label is not one of 0 to 9; also a KeyError.
        """
        try:
            number = operator.index(label)
        except TypeError:
            number = -1
        images: npt.NDArray[np.float32] = self.images[self.labels == number]
        if not len(images):
            raise NoSuchDigit(
                f"There is no digit {label!r}.", fix="digits[0] to digits[9]; digits.images contains all images"
            )
        return images

    def __iter__(self) -> Iterator[int]:
        return iter(range(10))

    def __contains__(self, label: object) -> bool:
        return label in range(10)

    def __len__(self) -> int:
        return len(self.labels)


@cache
def load_digits() -> Digits:
    """Load the included digits; the arrays are shared and read-only."""
    path = resources.files("pytest_wml") / "data" / "digits.npz"
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        images = arrays["images"].astype(np.float32) / np.float32(255)
        labels = arrays["labels"].astype(np.int64)
    images.flags.writeable = labels.flags.writeable = False
    return Digits(images, labels)
