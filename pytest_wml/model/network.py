"""The sample network: a small convolutional one for handwritten digits."""

from __future__ import annotations

import keras
from keras import initializers, layers


def build_network(seed: int = 0) -> keras.Model:
    """Build the network with fresh weights, the same for the same seed.

    Takes images float32 [N, 784], each pixel in 0..1, row by row; gives logits float32 [N, 10].
    Only Keras layers, so that it trains under each of Keras's backends.
    """

    def weights(layer: int) -> initializers.Initializer:
        # Seeds of its own, so that the random state of whoever runs this stays as it is.
        return initializers.HeNormal(seed=100 * seed + layer)

    return keras.Sequential(
        [
            keras.Input((784,), name="image"),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", kernel_initializer=weights(1)),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu", kernel_initializer=weights(2)),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(96, activation="relu", kernel_initializer=weights(3)),
            layers.Dropout(0.3, seed=seed),
            layers.Dense(10, kernel_initializer=weights(4)),
        ],
        name="mnist_cnn",
    )
