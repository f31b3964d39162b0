"""The trained sample network, as the fixture gives it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import BadPayload
from pytest_wml.model.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from pytest_wml.model.archive import ModelArchive

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainedCNN:
    """A convolutional network for handwritten digits, trained and ready.

    Keras and its backend are loaded when the network first computes something.

    Attributes:
        weights: float32 arrays, as Keras orders them.
        accuracy: share of the held-out digits that it gets right, 0 to 1.
        device: what it was trained on: ``GPU: <name>`` or ``CPU``.
        trained_seconds: how long its training took, whenever that was.
        from_cache: it was trained by an earlier run, or by another process of this one.
        recipe: what it was trained with.
        source: which digits it was trained on.
    """

    weights: tuple[Floats, ...]
    accuracy: float
    device: str
    trained_seconds: float
    from_cache: bool
    recipe: Recipe
    source: str

    def predict(self, images: npt.ArrayLike) -> Floats:
        """Classify images in this process, without any service.

        Args:
            images: [N, 784] or one [784], pixels in 0..1, row by row.

        Returns:
            probabilities float32 [N, 10]; [1, 10] for a single image.

        Raises:
            BadPayload: the images have another shape.
        """
        given = np.asarray(images, dtype=np.float32)
        if given.ndim not in (1, 2) or given.shape[-1] != 784:
            raise BadPayload(
                "The sample network takes images of 784 pixels.",
                wanted="[N, 784]",
                given=list(given.shape),
                fix="images.reshape(-1, 784), pixels in 0..1",
            )
        logits = self._network.predict(np.atleast_2d(given), verbose=0)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def export(self, folder: Path | str) -> Path:
        """Write the network as a SavedModel; see ``pytest_wml.model.export.export`` for its signature and errors."""
        from pytest_wml.model.export import export

        return export(self.weights, folder)

    def package(self, destination: Path | str) -> ModelArchive:
        """Write the network as a .tar.gz that WML takes, ``saved_model.pb`` at its root."""
        from pytest_wml.model.packing import pack  # a kept network is there sooner without it

        with tempfile.TemporaryDirectory(prefix="pytest-wml-") as folder:
            return pack(self.export(Path(folder, "model")), destination)

    @cached_property
    def _network(self) -> keras.Model:
        from pytest_wml.model.network import build_network

        network = build_network()
        network.set_weights(list(self.weights))
        return network
