"""SavedModels with something of their training left in them, and sound ones beside: written with TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

ROWS = tf.TensorSpec([None, 8], tf.float32, name="x")
IMAGES = tf.TensorSpec([None, 8, 8, 1], tf.float32, name="x")
_WIDTH = 64


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 1, size=shape).astype(np.float32)


def network(kind: Any, *layers: str) -> Any:
    """Rows of 8 → rows of 3, with layers such as `Dropout` between; every weight another number."""
    more = {"Dropout": (0.5,), "GaussianNoise": (0.1,), "BatchNormalization": (), "AlphaDropout": (0.5,)}
    made = kind.Sequential(
        [
            kind.Input((8,), name="x"),
            kind.layers.Dense(_WIDTH, activation="relu"),
            *(getattr(kind.layers, layer)(*more[layer]) for layer in layers),
            kind.layers.Dense(_WIDTH),
            kind.layers.Dense(3, activation="softmax"),
        ]
    )
    made.set_weights([numbers(*weight.shape) * (1 + place) / 10 for place, weight in enumerate(made.get_weights())])
    return made


def module(folder: Path, function: Callable[..., Any], *inputs: tf.TensorSpec, **kept: Any) -> None:
    """A `tf.Module` with what the function reads, and the function as its signature."""
    holder = tf.Module()
    for name, value in kept.items():
        setattr(holder, name, value)
    served = tf.function(function, input_signature=inputs or (ROWS,))
    tf.saved_model.save(holder, str(folder), signatures=served)


def in_training(folder: Path, made: Any, spec: tf.TensorSpec = ROWS) -> None:
    """Exported with its layers called as in training."""
    if isinstance(made, tf_keras.Model):
        module(folder, lambda x: {"y": made(x, training=True)}, spec, network=made)
        return
    archive = keras.export.ExportArchive()
    archive.track(made)
    archive.add_endpoint("serve", lambda x: {"y": made(x, training=True)}, input_signature=[spec])
    archive.write_out(str(folder), verbose=False)


def sound(folder: Path) -> None:
    network(keras, "Dropout", "BatchNormalization", "GaussianNoise", "AlphaDropout").export(str(folder), verbose=False)


def sound_saved(folder: Path) -> None:
    made = network(keras, "Dropout", "BatchNormalization")
    module(folder, lambda x: {"y": made(x, training=False)}, network=made)


def sound_tf_keras(folder: Path) -> None:
    network(tf_keras, "Dropout", "BatchNormalization").export(str(folder))


def sound_tf_keras_saved(folder: Path) -> None:
    network(tf_keras, "Dropout", "BatchNormalization").save(str(folder), save_format="tf")


def sound_images(folder: Path) -> None:
    layers = [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(), keras.layers.SpatialDropout2D(0.5)]
    keras.Sequential([keras.Input((8, 8, 1), name="x"), *layers]).export(str(folder), verbose=False)


def exported_augmented(folder: Path) -> None:
    """Keras 3 leaves such layers on, unless they are told otherwise."""
    layers = [keras.layers.RandomRotation(0.2), keras.layers.Flatten()]
    keras.Sequential([keras.Input((8, 8, 1), name="x"), *layers]).export(str(folder), verbose=False)


def sound_recurrent(folder: Path) -> None:
    """Its seeds move on, and no answer reads them."""
    layers = [keras.layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5), keras.layers.Dense(3)]
    keras.Sequential([keras.Input((5, 2), name="x"), *layers]).export(str(folder), verbose=False)


def sound_normalised(folder: Path) -> None:
    """Layer normalisation is of each row alone, and a counter that no answer reads is no harm."""
    made = keras.Sequential([keras.Input((8,)), keras.layers.LayerNormalization(), keras.layers.Dense(3)])
    count = tf.Variable(0.0)

    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        count.assign_add(tf.reduce_mean(made(x)))
        return {"y": made(x)}

    module(folder, serve, network=made, count=count)


def sound_hashed(folder: Path) -> None:
    """A seed that is constant draws the same numbers for ever."""
    module(folder, lambda x: {"y": x + tf.random.stateless_uniform(tf.shape(x), seed=[1, 2])})


def dropout(folder: Path) -> None:
    in_training(folder, network(keras, "Dropout"))


def dropout_tf_keras(folder: Path) -> None:
    in_training(folder, network(tf_keras, "Dropout"))


def noise(folder: Path) -> None:
    in_training(folder, network(keras, "GaussianNoise"))


def augmented(folder: Path) -> None:
    in_training(folder, keras.Sequential([keras.Input((8, 8, 1)), keras.layers.RandomRotation(0.1)]), IMAGES)


def uniform(folder: Path) -> None:
    module(folder, lambda x: {"y": x + tf.random.uniform(tf.shape(x))})


def normal(folder: Path) -> None:
    module(folder, lambda x: {"y": x + tf.random.normal(tf.shape(x), seed=1)})


def shuffled(folder: Path) -> None:
    module(folder, lambda x: {"y": tf.random.shuffle(x)})


def drawn(folder: Path) -> None:
    module(folder, lambda x: {"y": tf.random.categorical(x, 1)})


def generated(folder: Path) -> None:
    generator = tf.random.Generator.from_seed(1)
    module(folder, lambda x: {"y": x + generator.normal(tf.shape(x))}, generator=generator)


def perhaps(folder: Path) -> None:
    """A dropout in a branch that no ordinary row takes."""
    module(folder, lambda x: {"y": tf.cond(tf.reduce_any(x > 99.0), lambda: tf.nn.dropout(x, 0.5), lambda: x)})


def batch_norm(folder: Path) -> None:
    in_training(folder, network(keras, "BatchNormalization"))


def batch_norm_tf_keras(folder: Path) -> None:
    in_training(folder, network(tf_keras, "BatchNormalization"))


def batch_norm_images(folder: Path) -> None:
    layers = keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()
    in_training(folder, keras.Sequential(layers), IMAGES)


def batch_norm_tf_keras_images(folder: Path) -> None:
    layers = [tf_keras.Input((8, 8, 1)), tf_keras.layers.Conv2D(4, 3), tf_keras.layers.BatchNormalization()]
    in_training(folder, tf_keras.Sequential(layers), IMAGES)


def assigned(folder: Path) -> None:
    count = tf.Variable(0.0)

    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        count.assign_add(1.0)
        return {"y": x + count}

    module(folder, serve, count=count)


def written_rows(folder: Path) -> None:
    table = tf.Variable(tf.zeros([4, 8]))

    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        table.scatter_nd_update([[0]], x[:1])
        return {"y": x + table[0]}

    module(folder, serve, table=table)


def python(folder: Path) -> None:
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.py_function(lambda value: value * 2.0, [x], tf.float32)
        return {"y": tf.ensure_shape(y, [None, 8])}

    module(folder, serve)


def numpy_function(folder: Path) -> None:
    module(folder, lambda x: {"y": tf.numpy_function(np.sqrt, [x], tf.float32)})


def trained(folder: Path) -> None:
    made = network(tf_keras, "Dropout", "BatchNormalization")
    made.compile("adam", "mse")
    made.train_on_batch(numbers(4, 8), numbers(4, 3))
    made.save(str(folder), save_format="tf")


def trained_keras(folder: Path) -> None:
    made = network(keras, "Dropout", "BatchNormalization")
    made.compile("adam", "mse")
    made.train_on_batch(numbers(4, 8), numbers(4, 3))
    tf.saved_model.save(made, str(folder))


def trained_export(folder: Path) -> None:
    made = network(keras, "Dropout", "BatchNormalization")
    made.compile("adam", "mse")
    made.train_on_batch(numbers(4, 8), numbers(4, 3))
    made.export(str(folder), verbose=False)


def wide(folder: Path) -> None:
    """More than 10 MB twice."""
    made = keras.Sequential([keras.Input((8,)), keras.layers.Dense(400_000, kernel_initializer="glorot_uniform")])
    made.export(str(folder), verbose=False)
