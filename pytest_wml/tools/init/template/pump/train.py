"""Train a small network that tells a pump's condition from its readings, and package it for Watson Machine Learning.

python train.py              trains, and writes weights.npz, readings.npz and pump.tar.gz
python train.py --package    packages the weights of weights.npz again: the same model, another archive

The readings are made up here, so that the folder is complete: put your own data and network in their place. What
pytest-wml tests is the archive, whatever made it.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
from pathlib import Path

# TensorFlow reads it when it is imported: its notes about the processor would hide what is printed here.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
CONDITIONS = ("healthy", "worn", "failing")
# For each condition temperature in °C, vibration in mm/s, pressure in bar and current in A, and how far they vary.
TYPICAL = np.array([[55, 2.0, 6.0, 11.0], [66, 4.6, 5.3, 12.8], [80, 9.0, 4.2, 15.5]], np.float32)
SPREAD = np.array([4, 0.6, 0.25, 0.6], np.float32)


def readings(each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings float32 [N, 4] and conditions int64 [N], as many of each condition."""
    labels = np.repeat(np.arange(len(CONDITIONS)), each)
    random = np.random.default_rng(seed)
    return (TYPICAL[labels] + SPREAD * random.standard_normal((len(labels), 4))).astype(np.float32), labels


def network(seed: int) -> keras.Model:
    """Four readings to a logit for each condition."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Rescaling(1 / (4 * SPREAD), offset=-TYPICAL[1] / (4 * SPREAD)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(len(CONDITIONS)),
        ]
    )


def train(seed: int) -> keras.Model:
    """A network that has seen 900 readings."""
    model = network(seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    model.fit(*readings(300, seed), epochs=20, batch_size=32, verbose=0)
    return model


def package(model: keras.Model, archive: Path) -> None:
    """Write the archive that Watson Machine Learning takes: a SavedModel with saved_model.pb at its root."""
    served = tf.Module()
    served.weights = [weight.value for weight in model.weights]

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="readings")])
    def condition(readings):
        logits = model(readings, training=False)
        return {"condition": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits)}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(served, folder, signatures={"serving_default": condition})
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(Path(folder).iterdir()):
                tar.add(path, arcname=path.name)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of weights and readings (default: 0)")
    parser.add_argument("--package", action="store_true", help="package the weights that are there; train nothing")
    given = parser.parse_args()
    if given.package:
        model = network(given.seed)
        with np.load(HERE / "weights.npz") as weights:
            model.set_weights([weights[name] for name in weights.files])
    else:
        model = train(given.seed)
        np.savez(HERE / "weights.npz", *model.get_weights())
        rows, labels = readings(20, seed=1000)
        np.savez(HERE / "readings.npz", readings=rows, labels=labels)
        _, right = model.evaluate(rows, labels, verbose=0)
        print(f"right about {right:.1%} of {len(labels)} readings that it has not seen")
    package(model, HERE / "pump.tar.gz")
    print("pump.tar.gz written")


if __name__ == "__main__":
    main()
