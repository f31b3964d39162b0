"""The sample network as a SavedModel, with one signature and every weight stored once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import BadArchive, TrainingFailed
from pytest_wml.model.frameworks import importing, require

Weights = Sequence[npt.NDArray[np.float32]]


def export(weights: Weights, folder: Path | str) -> Path:
    """Write the sample network with these weights as a SavedModel, for inference only.

    Its only signature is ``serving_default``: ``image`` float32 [None, 784], pixels in 0..1, to ``classes``
    int64 [None] and ``probabilities`` float32 [None, 10]. The folder appears whole or not at all. Under
    another Keras backend than TensorFlow a process of its own does the work.

    Args:
        weights: as ``network.get_weights()`` of ``build_network`` gives them.
        folder: is made, or replaced if it holds a SavedModel or nothing.

    Raises:
        MissingExtra: TensorFlow is not installed.
        BadArchive: the folder holds something else.
        TrainingFailed: the process of its own failed.
    """
    require("tensorflow", "to export a model")
    folder = Path(folder).absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / "saved_model.pb").exists():
        raise BadArchive(
            "The folder to export to holds something else than a SavedModel.",
            folder=folder,
            fix="name a new folder",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        part.chmod(0o755)
        _save(weights, part)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _save(weights: Weights, folder: Path) -> None:
    # Imported here: keras loads its backend, which takes seconds.
    with importing("Keras"):
        import keras

    if keras.backend.backend() == "tensorflow":
        _save_here(weights, folder)
    else:
        _save_elsewhere(weights, folder)


def _save_here(weights: Weights, folder: Path) -> None:
    import tensorflow as tf

    from pytest_wml.model.network import build_network

    network = build_network()
    network.set_weights(list(weights))

    # Tracking the network itself would store each weight twice and in another order every time.
    module = tf.Module()
    module.ordered = [weight.value for weight in network.weights]

    @tf.function(input_signature=[tf.TensorSpec([None, 784], tf.float32, name="image")])  # type: ignore[untyped-decorator]
    def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = network(image, training=False)
        return {
            "classes": tf.argmax(logits, axis=1, output_type=tf.int64),
            "probabilities": tf.nn.softmax(logits),
        }

    tf.saved_model.save(module, str(folder), signatures={"serving_default": classify})


def _save_elsewhere(weights: Weights, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pytest-wml-") as passed:
        path = Path(passed, "weights.npz")
        np.savez(path, *weights)
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "pytest_wml.model.export", str(path), str(folder)]
        # The command is our own module and two paths that we made.
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise TrainingFailed("The network could not be exported.", output=done.stderr.strip()[-2000:])


def _main(path: str, folder: str) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        _save_here([arrays[name] for name in arrays.files], Path(folder))


if __name__ == "__main__":
    _main(*sys.argv[1:])
