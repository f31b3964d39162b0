"""The sample network, trained once and kept.

An entry is a folder ``<key>`` with ``weights.npz`` and ``training.json``; it appears whole or not at all. The
key covers everything that decides the weights but the machine: recipe, digits, versions, the source of the
network.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from pytest_wml.model.cnn import TrainedCNN
from pytest_wml.model.frameworks import importing, require
from pytest_wml.model.mnist import Data, data_file, file_digest
from pytest_wml.model.recipe import Progress, Recipe, silent

_WEIGHTS, _ABOUT = "weights.npz", "training.json"
_SOURCES = ("network.py", "training.py", "mnist.py")


def trained_cnn(
    recipe: Recipe | None = None,
    cache_dir: Path | str = ".",
    *,
    data: Data = "auto",
    progress: Progress = silent,
) -> TrainedCNN:
    """Give the sample network, trained now or by an earlier run.

    Several processes may ask at once, as pytest-xdist's workers do: one trains, the others wait for it. A
    damaged entry is trained again.

    Args:
        recipe: what to train with.
        cache_dir: where trained networks are kept; made if need be.
        data: which digits; see ``load_mnist``.
        progress: takes lines of text: that it waits, and how the training goes.

    Raises:
        MissingExtra: Keras, TensorFlow or the digits are not installed.
        TrainingFailed: the digits are not to be had.
    """
    require("keras", "to train the sample network")
    recipe = recipe or Recipe()
    cache_dir = Path(cache_dir)
    entry = cache_dir / _key(recipe, data)
    if kept := _load(entry, recipe):
        return kept
    from filelock import FileLock, Timeout  # a kept network is there sooner without it

    cache_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{entry}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("another process is training the sample network; waiting for it")
        lock.acquire()
    try:
        return _load(entry, recipe) or _train(entry, recipe, data, progress)
    finally:
        lock.release()


def _key(recipe: Recipe, data: Data) -> str:
    backend = _backend()
    deciding = {
        "recipe": recipe.as_json(),
        "data": file_digest(data_file(data)),
        "keras": _version("keras"),
        backend: _version(backend),
        "sources": [file_digest(Path(__file__).with_name(name)) for name in _SOURCES],
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        # Installed under another name: tensorflow-cpu, tf-nightly.
        return "unknown"


def _backend() -> str:
    if "keras" in sys.modules:
        name: str = sys.modules["keras"].backend.backend()
        return name
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    home = os.environ.get("KERAS_HOME")
    config = (Path(home) if home else Path.home() / ".keras") / "keras.json"
    try:
        return str(json.loads(config.read_text())["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow"


def _load(entry: Path, recipe: Recipe) -> TrainedCNN | None:
    try:
        about = json.loads((entry / _ABOUT).read_text())
        if file_digest(entry / _WEIGHTS) != about["weights"]:
            return None
        with (entry / _WEIGHTS).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            weights = tuple(arrays[name] for name in arrays.files)
        return _cnn(weights, about, recipe, from_cache=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _cnn(weights: tuple[Any, ...], about: dict[str, Any], recipe: Recipe, *, from_cache: bool) -> TrainedCNN:
    return TrainedCNN(
        weights=weights,
        accuracy=float(about["accuracy"]),
        device=str(about["device"]),
        trained_seconds=float(about["seconds"]),
        from_cache=from_cache,
        recipe=recipe,
        source=str(about["source"]),
    )


def _train(entry: Path, recipe: Recipe, data: Data, progress: Progress) -> TrainedCNN:
    # Imported here: keras loads its backend, which takes seconds, and a kept network needs it later or never.
    with importing("Keras"):
        from pytest_wml.model.training import train

    trained = train(recipe, data=data, progress=progress)
    weights = tuple(trained.network.get_weights())
    about = {
        "accuracy": trained.accuracy,
        "device": trained.device,
        "seconds": trained.seconds,
        "source": trained.source,
        "recipe": recipe.as_json(),
    }
    _store(entry, weights, about)
    return _cnn(weights, about, recipe, from_cache=False)


def _store(entry: Path, weights: tuple[Any, ...], about: dict[str, Any]) -> None:
    part = Path(tempfile.mkdtemp(prefix=f".{entry.name}-", dir=entry.parent))
    try:
        np.savez(part / _WEIGHTS, *weights)
        about["weights"] = file_digest(part / _WEIGHTS)
        (part / _ABOUT).write_text(json.dumps(about, indent=2) + "\n")
        # What lies there under the lock is damaged.
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
        part.rename(entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)
