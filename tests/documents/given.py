"""Files that a page's reader has before the page begins: `<!-- given: model.tar.gz -->`."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from pytest_wml.model.export import export
from pytest_wml.model.packing import pack
from tests.documents.pages import ROOT

SAMPLE = ROOT / "pytest_wml" / "data" / "mnist_cnn.tar.gz"


def sample(target: Path) -> None:
    """The packaged network."""
    shutil.copy(SAMPLE, target)


def retrained(target: Path) -> None:
    """The packaged network, as a training gone wrong might leave it: a four is a nine to it."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="pytest-wml-") as temporary:
        folder = Path(temporary, "sample")
        with tarfile.open(SAMPLE) as archive:
            archive.extractall(folder, filter="data")
        stored = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        names = sorted(name for name in stored.get_variable_to_shape_map() if name.startswith("ordered/"))
        weights = [stored.get_tensor(name) for name in names]
        weights[-1][[4, 9]] += -14, 8
        pack(export(weights, Path(temporary, "retrained")), target)


def pickled(target: Path) -> None:
    """A scikit-learn model of three flowers."""
    import pickle

    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    flowers = load_iris()
    target.write_bytes(pickle.dumps(LogisticRegression(max_iter=500).fit(flowers.data, flowers.target)))


FILES: dict[str, Callable[[Path], None]] = {
    "model.tar.gz": sample,
    "mnist.tar.gz": sample,
    "retrained.tar.gz": retrained,
    "iris.pkl": pickled,
}


def put(names: str, folder: Path) -> None:
    """Put files into a folder.

    Args:
        names: with commas between them; `models/mnist.tar.gz` is made as `mnist.tar.gz` is.
        folder: the project.
    """
    for name in names.split(", "):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        FILES[target.name](target)
