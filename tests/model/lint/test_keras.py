"""Keras files that need classes which the service does not have, told without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.model.keras_file import KerasFile, read
from pytest_wml.model.lint.findings import LintLevel
from pytest_wml.model.lint.linter import lint
from tests.model.lint.packing import TENSORFLOW, tarred, zipped

METADATA = b'{"keras_version": "3.5.0"}'


def layer(name: str, module: str | None = "keras.layers", registered: str | None = None, **config: object) -> dict:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def keras_file(*layers: dict) -> bytes:
    model = layer("Sequential", "keras", layers=list(layers))
    return zipped({"metadata.json": METADATA, "config.json": json.dumps(model).encode()})


def written(folder: Path, content: bytes) -> KerasFile:
    (folder / "model.keras").write_bytes(content)
    return read(folder)


SCALED = layer("Scaled", None, "Custom>Scaled", scale=2)
ACTIVATION = {"module": "builtins", "class_name": "function", "config": "ours>act", "registered_name": "function"}


def test_a_registered_class_is_named(tmp_path):
    """A warning, with what the deployment would say and the way on; also in an archive, as it is uploaded."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(tarred({"model.keras": keras_file(layer("Dense", units=2, activation="relu"), SCALED)}))
    (finding,) = (finding for finding in lint(path, TENSORFLOW) if finding.code == "custom-class")
    assert finding.level is LintLevel.WARN
    assert finding.found == "It has classes or functions that are not Keras's own: Custom>Scaled."
    assert finding.refusal.message == "Could not locate 'Scaled'."
    assert "export a SavedModel" in finding.fix


def test_functions_and_objects_inside_keras_s_own_layers_are_named(tmp_path):
    """An activation and an initializer, and what a wrapper wraps."""
    dense = layer("Dense", activation=ACTIVATION, kernel_initializer=layer("Init", "ours.start", "ours>Init"))
    file = written(tmp_path, keras_file(layer("TimeDistributed", layer=dense), layer("Bidirectional", layer=SCALED)))
    assert file.custom == ("Custom>Scaled", "ours>Init", "ours>act")


def test_a_model_of_keras_s_own_has_none(tmp_path):
    """Also with operations between its layers; how it was trained is not loaded."""
    model = layer("Functional", "keras.src.models.functional", "Functional")
    model["config"]["layers"] = [layer("Relu", "keras.src.ops.nn", "Relu"), layer("Dense", activation="gelu")]
    model["compile_config"] = {"loss": {**ACTIVATION, "config": "ours>loss"}}
    file = written(tmp_path, zipped({"metadata.json": METADATA, "config.json": json.dumps(model).encode()}))
    assert file.custom == ()


def test_an_hdf5_file_is_looked_into(tmp_path):
    """It names a registered class by its package, and others by their names alone."""
    h5py = pytest.importorskip("h5py")
    layers = [{"class_name": name, "config": {"activation": "relu"}} for name in ("Dense", "Custom>Scaled", "Mine")]
    layers.append({"class_name": "Dense", "config": {"activation": "my_activation"}})
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["keras_version"] = "2.14.0"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
    assert read(tmp_path).custom == ("Custom>Scaled", "Mine", "my_activation")


def test_neither_tensorflow_nor_h5py_is_needed(tmp_path):
    """For a `.keras` file: it is a zip file with JSON in it."""
    (tmp_path / "model.keras").write_bytes(keras_file(SCALED))
    program = (
        "import sys; from pathlib import Path\n"
        "from pytest_wml.model.keras_file import read\n"
        f"print(read(Path({str(tmp_path)!r})).custom, {{'tensorflow', 'keras', 'h5py'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "('Custom>Scaled',) set()\n"
