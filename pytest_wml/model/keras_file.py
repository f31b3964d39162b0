"""What a Keras file says of itself, read without Keras."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_wml.model.causes import full_reason
from pytest_wml.model.keras_names import KERAS_NAMES
from pytest_wml.model.kinds import KERAS_FILES
from pytest_wml.model.serving import LoadFailed

_PACKAGES = ("keras", "tf_keras", "tensorflow", "builtins")
# Members of a configuration that name a function or class by text alone.
_BY_NAME = ("activation", "_initializer", "_regularizer", "_constraint")


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
    def code(self) -> str:
        """Why loading it runs Python code that came with it; empty where it does not.

        Bytecode is the function of a Lambda layer. tf-keras, which loads what is older than Keras 3, also imports any
        module that the file names, and calls any function of it.
        """
        if any(part.get("class_name") in ("Lambda", "__lambda__") for part in _objects(self.config)):
            return "The model has a Lambda layer, which is Python code."
        named = [] if self.new else [_named_code(part) for part in _objects(self._loaded) if _is_foreign(part)]
        return f"The model names Python code that is no layer of Keras: {named[0]}." if named else ""

    @property
    def custom(self) -> tuple[str, ...]:
        """Classes and functions that are not Keras's own, by their registered names; the first 20."""
        return tuple(sorted({name[:100] for part in _objects(self._loaded) for name in _custom(part)})[:20])

    @property
    def _loaded(self) -> dict[str, Any]:
        # Of how it was trained nothing is loaded.
        return {name: part for name, part in self.config.items() if name != "compile_config"}


def read(folder: Path) -> KerasFile:
    """The one Keras file at the root of a folder.

    Raises:
        LoadFailed: there are several, or it holds no model.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in KERAS_FILES)
    if len(found) != 1:
        raise LoadFailed(f"The archive needs one Keras file at its root; found {', '.join(p.name for p in found)}.")
    path = found[0]
    try:
        version, config = _zipped(path) if zipfile.is_zipfile(path) else _hdf5(path)
        file = KerasFile(path, version, json.loads(config))
        if not isinstance(file.config, dict):
            raise ValueError("its layers are not described by a JSON object")
        int(file.version.split(".")[0])
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as problem:
        raise LoadFailed(
            f"{path.name} is no Keras model. {full_reason(problem)}".replace(str(folder), "<model>")
        ) from problem
    return file


def _zipped(path: Path) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        metadata = json.loads(archive.read("metadata.json"))
        return str(metadata["keras_version"]), archive.read("config.json").decode()


def _hdf5(path: Path) -> tuple[str, str]:
    # Here: a .keras file is read without it.
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise ValueError("it has weights and no layers: save the whole model with model.save(path)")
        return _text(file.attrs.get("keras_version", "1")), _text(file.attrs["model_config"])


def _text(attribute: Any) -> str:
    # Written as text by today's h5py, as bytes by that of 2018.
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield what is to be made of the config: objects of a class, at any depth."""
    left = [config]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)


def _is_foreign(part: dict[str, Any]) -> bool:
    """Whether tf-keras would look for this outside Keras and TensorFlow, or for a function."""
    name, module = part["class_name"], part.get("module")
    if name == "function":
        return True
    # Classes have a capital; names such as __tensor__ are Keras's own.
    made = re.fullmatch(r"[A-Z].*|__\w+__", str(name)) is not None
    return bool(module) and not (made and str(module).partition(".")[0] in _PACKAGES)


def _custom(part: dict[str, Any]) -> Iterator[str]:
    """Yield the names in an object that the loader would look for among registered classes and functions."""
    name, module = str(part["class_name"]), part.get("module")
    if name == "function":
        function = str(part.get("config"))
        if function not in KERAS_NAMES and str(module).partition(".")[0] not in ("keras", "tf_keras"):
            yield function
    elif not re.fullmatch(r"__\w+__", name) and not _is_keras_s(name, "module" in part, module):
        yield str(part.get("registered_name") or name)
    for key, value in part["config"].items() if isinstance(part.get("config"), dict) else ():
        if str(key).endswith(_BY_NAME) and isinstance(value, str) and value not in KERAS_NAMES:
            yield value


def _is_keras_s(name: str, tells_module: bool, module: Any) -> bool:
    """Whether a class is Keras's own: by its module; in files of HDF5, which name none of a layer, by its name."""
    if tells_module:
        return str(module).partition(".")[0] in _PACKAGES
    return name in KERAS_NAMES or name.endswith("Column")


def _named_code(part: dict[str, Any]) -> str:
    name = part.get("config") if part["class_name"] == "function" else part["class_name"]
    return f"{part.get('module')}.{name}"[:100]
