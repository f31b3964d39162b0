"""What a Keras file says of itself, read without Keras."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from pytest_wml.embedded.runtimes.protocol import LoadFailed, told

SUFFIXES = (".h5", ".hdf5", ".keras")


@dataclass(frozen=True)
class KerasFile:
    """A `.h5` or `.keras` file."""

    path: Path
    version: str
    """Of the Keras that wrote it, as 2.2.4; 1 where it does not say, as the oldest did not."""
    config: dict[str, Any]
    """The layers and how they are connected."""

    @property
    def new(self) -> bool:
        """Whether Keras 3 wrote it; what is older, Keras 3 cannot be relied on to read."""
        return int(self.version.split(".")[0]) >= 3

    @property
    def code(self) -> bool:
        """Whether there is Python bytecode in it: the function of a Lambda layer."""
        return _has_lambda(self.config)


def read(folder: Path) -> KerasFile:
    """The one Keras file at the root of a folder.

    Raises:
        LoadFailed: there are several, or it holds no model.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if len(found) != 1:
        raise LoadFailed(f"The archive needs one Keras file at its root; found {', '.join(p.name for p in found)}.")
    path = found[0]
    try:
        version, config = _zipped(path) if zipfile.is_zipfile(path) else _hdf5(path)
        file = KerasFile(path, version, json.loads(config))
        int(file.version.split(".")[0])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise LoadFailed(f"{path.name} is no Keras model. {told(problem)}".replace(str(folder), "<model>")) from problem
    return file


def _zipped(path: Path) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        metadata = json.loads(archive.read("metadata.json"))
        return str(metadata["keras_version"]), archive.read("config.json").decode()


def _hdf5(path: Path) -> tuple[str, str]:
    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise ValueError("it has weights and no layers: save the whole model with model.save(path)")
        return _text(file.attrs.get("keras_version", "1")), _text(file.attrs["model_config"])


def _text(attribute: Any) -> str:
    # Written as text by today's h5py, as bytes by that of 2018.
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def _has_lambda(config: Any) -> bool:
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(map(_has_lambda, config.values()))
    return isinstance(config, list) and any(map(_has_lambda, config))
