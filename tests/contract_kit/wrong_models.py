"""SavedModels of 2×2 images that break one promise each, as real mistakes do."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from tests.emulator.tiny_models import fixed_rows, saved, two_inputs, words

__all__ = [
    "batch_statistics",
    "dropout",
    "fixed_rows",
    "good",
    "one_probability",
    "regressor",
    "sigmoid",
    "swapped",
    "two_inputs",
    "unnormalised",
    "words",
]

IMAGES = tf.TensorSpec([None, 4], tf.float32, name="image")


def _classifier(folder: Path, logits, classes=lambda logits: tf.argmax(logits, axis=1)) -> Path:
    def serve(image):
        found = logits(image)
        return {"classes": classes(found), "probabilities": tf.nn.softmax(found)}

    return saved(folder, serve, IMAGES)


def good(folder: Path) -> Path:
    """The brightest of four pixels is the class."""
    return _classifier(folder, lambda image: image * 4.0)


def swapped(folder: Path) -> Path:
    """Trained with two labels exchanged: 2 is called 3, and 3 is called 2."""
    return _classifier(folder, lambda image: tf.gather(image * 4.0, [0, 1, 3, 2], axis=1))


def dropout(folder: Path) -> Path:
    """Exported as in training: dropout is on."""
    return _classifier(folder, lambda image: tf.nn.dropout(image * 4.0, 0.5))


def batch_statistics(folder: Path) -> Path:
    """Exported as in training: normalised by the batch that it is asked with."""
    return _classifier(folder, lambda image: (image - tf.reduce_mean(image, axis=0)) * 4.0)


def unnormalised(folder: Path) -> Path:
    """Somebody forgot the softmax: `probabilities` are logits, and NaN below zero."""

    def serve(image):
        return {"probabilities": tf.sqrt(image) * 2.0}

    return saved(folder, serve, IMAGES)


def sigmoid(folder: Path) -> Path:
    """image float32 [?, 4] → score float32 [?, 1]: how bright it is."""

    def serve(image):
        return {"score": tf.sigmoid(tf.reduce_sum(image, axis=1, keepdims=True) * 4.0 - 8.0)}

    return saved(folder, serve, IMAGES)


def one_probability(folder: Path) -> Path:
    """image float32 [?, 4] → probabilities float32 [?, 1]: of being bright."""

    def serve(image):
        return {"probabilities": tf.sigmoid(tf.reduce_sum(image, axis=1, keepdims=True) * 4.0 - 8.0)}

    return saved(folder, serve, IMAGES)


def regressor(folder: Path) -> Path:
    """image float32 [?, 4] → mean float32 [?]."""
    return saved(folder, lambda image: {"mean": tf.reduce_mean(image, axis=1)}, IMAGES)
