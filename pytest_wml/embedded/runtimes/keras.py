"""Keras models in a `.h5` or `.keras` file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pytest_wml.embedded.runtimes.keras_file import KerasFile, read
from pytest_wml.embedded.runtimes.protocol import BadInput, Elements, LoadFailed, Model, RunsCode, told
from pytest_wml.embedded.runtimes.tensors import Input, named_arrays
from pytest_wml.embedded.runtimes.tf_tensors import input_of, reason, share_the_gpu


def load(folder: Path, trusted: bool = False) -> Network:
    """Load the Keras file in `folder`: with Keras 3 what it wrote, with tf-keras what is older.

    Raises:
        RunsCode: it has Python code in a Lambda layer, or names some, and no code may run.
        LoadFailed: it cannot be loaded.
    """
    share_the_gpu()
    file = read(folder)
    if file.code and not trusted:
        raise RunsCode(file.code)
    problems = []
    for package in ("keras",) if file.new else ("tf_keras", "keras"):
        try:
            return Network(_loaded(package, file, trusted), file.version)
        except LoadFailed as failure:
            problems.append(str(failure).replace(str(folder), "<model>"))
    raise LoadFailed(f"{file.path.name} of Keras {file.version} cannot be loaded. {' '.join(problems)}")


def _loaded(package: str, file: KerasFile, trusted: bool) -> Any:
    try:
        keras: Any = importlib.import_module(package)
    except ImportError as problem:
        raise LoadFailed(f"{package} cannot be imported: {problem}.") from problem
    if keras.backend.backend() != "tensorflow":
        raise LoadFailed(f"{package} runs on {keras.backend.backend()} here: set KERAS_BACKEND=tensorflow.")
    try:
        return keras.models.load_model(str(file.path), compile=False, safe_mode=not trusted)
    except Exception as problem:  # Keras raises whatever it met
        raise LoadFailed(f"{package} {keras.__version__}: {told(problem)}.") from problem


class Network(Model):
    """A loaded Keras model."""

    def __init__(self, model: Any, version: str) -> None:
        self._model = model
        self._inputs = list(_inputs(model))
        self._names = _output_names(model)
        signature = [
            tf.TensorSpec(None if spec.shape is None else spec.shape, spec.dtype, name=f"input_{place}")
            for place, spec in enumerate(self._inputs)
        ]
        self._function = tf.function(self._called, input_signature=signature)
        self.written_by = f"Keras {version}"

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each output: `prediction`, `prediction_classes` and `probability` of each row.

        The class is the place of the largest number, or where there is one number, whether it is above a half.

        Raises:
            BadInput: the input data does not fit the model, or the model refuses it.
        """
        arrays = named_arrays(self._inputs, input_data)
        tensors = [tf.constant(arrays[spec.name], dtype=spec.dtype) for spec in self._inputs]
        try:
            outputs = self._function(*tensors)
        except (tf.errors.OpError, ValueError, TypeError) as problem:
            raise BadInput(f"The model refuses the input: {reason(problem)}") from problem
        return [_element(name, output.numpy()) for name, output in zip(self._names, outputs, strict=True)]

    def _called(self, *tensors: Any) -> list[Any]:
        given: Any = tensors[0]
        if len(tensors) > 1:
            given = {spec.name: tensor for spec, tensor in zip(self._inputs, tensors, strict=True)}
        found: list[Any] = tf.nest.flatten(self._model(given, training=False))
        return found


def _inputs(model: Any) -> Iterator[Input]:
    try:
        tensors = list(model.inputs or ())
    except (AttributeError, ValueError):
        tensors = []  # a model that was never told what it takes
    if not tensors:
        yield input_of("input", tf.float32, None)
    for tensor in tensors:
        shape = None if tensor.shape is None else [None if length is None else int(length) for length in tensor.shape]
        yield input_of(str(tensor.name), tf.as_dtype(tensor.dtype), shape)


def _output_names(model: Any) -> list[str]:
    names = list(getattr(model, "output_names", None) or ())
    # Of a single output the service tells the name of the last layer.
    return [str(name) for name in names] if len(names) > 1 else [str(model.layers[-1].name)]


def _element(name: str, output: Any) -> dict[str, Any]:
    array = output.astype(np.float64) if output.dtype.kind in "fV" else output
    if array.ndim < 2 or array.shape[-1] == 1:
        classes = (array > 0.5).astype(int).tolist()
    else:
        classes = array.argmax(axis=-1).tolist()
    rows = array.tolist()
    return {
        "id": name,
        "fields": ["prediction", "prediction_classes", "probability"],
        "values": [[row, chosen, row] for row, chosen in zip(rows, classes, strict=True)],
    }
