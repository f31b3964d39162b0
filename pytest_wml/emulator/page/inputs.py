"""What a deployment takes, as the page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.emulator.contents import StoredContent
from pytest_wml.emulator.served_asset import ServedAsset
from pytest_wml.errors import BadArchive
from pytest_wml.model.archive import read_archive
from pytest_wml.model.signature import Signature, TensorSpec

_IMAGES = ((784,), (28, 28), (28, 28, 1))
_BRIGHTEST = {"float": 1.0, "int": 255, "uint": 255}


class Drawing(NamedTuple):
    """How an image of a digit is sent to a model."""

    shape: tuple[int, ...]
    """Of one image."""
    brightest: float
    """The value of full ink; a whole number where the model takes whole numbers."""


class Inputs:
    """Signatures by digest of the archive, each read once and without TensorFlow; for many threads."""

    def __init__(self) -> None:
        self._signatures: dict[str, Signature | None] = {}

    def of(self, served: ServedAsset, path: Callable[[StoredContent], Path]) -> dict[str, Any]:
        """The signature of what is served and how a digit is drawn for it, as JSON.

        Both are null where they are not known.

        Args:
            served: what the deployment serves.
            path: where a content is kept.
        """
        content = served.content
        if content is None:
            return _shown(None)
        # Without a lock: two who ask at once read twice, and nobody waits for another's large archive.
        if content.digest not in self._signatures:
            self._signatures[content.digest] = _read(path(content))
        return _shown(self._signatures[content.digest])


def drawing_of(signature: Signature) -> Drawing | None:
    """How an image of a digit is sent; None where the model takes no single image of 28 by 28 pixels."""
    if len(signature.inputs) != 1:
        return None
    (taken,) = signature.inputs
    brightest = _brightest(taken)
    if brightest is None or taken.shape is None or taken.shape[:1] not in ((None,), (1,)):
        return None
    shape = next((image for image in _IMAGES if taken.shape[1:] == image), None)
    return Drawing(shape, brightest) if shape else None


def _brightest(taken: TensorSpec) -> float | None:
    return _BRIGHTEST.get(taken.dtype.rstrip("0123456789"))


def _read(path: Path) -> Signature | None:
    try:
        return read_archive(path).signature
    except BadArchive:
        return None


def _shown(signature: Signature | None) -> dict[str, Any]:
    drawing = drawing_of(signature) if signature else None
    return {
        "signature": signature.as_json() if signature else None,
        "drawing": drawing._asdict() if drawing else None,
    }
