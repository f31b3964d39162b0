"""Keras models in a `.h5` or `.keras` file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel, RunsCode
from pytest_wml.emulator.runtimes.tensors import Input, named_arrays
from pytest_wml.emulator.runtimes.tf_tensors import input_of, share_the_gpu, values_of
from pytest_wml.model.causes import full_reason, reason
from pytest_wml.model.keras_file import KerasFile, read
from pytest_wml.model.serving import LoadFailed, family_of, not_dense_output


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
    return Network(_model(file, trusted), file)


def _model(file: KerasFile, trusted: bool) -> Any:
    problems = []
    for package in ("keras",) if file.new else ("tf_keras", "keras"):
        try:
            return _loaded(package, file, trusted)
        except LoadFailed as failure:
            problems.append(str(failure).replace(str(file.path.parent), "<model>"))
    needs = f"It needs {', '.join(file.custom)}, not among Keras's own classes and functions. " if file.custom else ""
    raise LoadFailed(f"{file.path.name} of Keras {file.version} cannot be loaded. {needs}{' '.join(problems)}")


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
        raise LoadFailed(f"{package} {keras.__version__}: {full_reason(problem).rstrip('.')}.") from problem


class Network(LoadedModel):
    """A loaded Keras model.

    Raises:
        LoadFailed: it cannot be computed, or has an output that JSON cannot carry.
    """

    def __init__(self, model: Any, file: KerasFile) -> None:
        self._model = model
        self._inputs = list(_inputs(model))
        signature = [
            tf.TensorSpec(None if spec.shape is None else spec.shape, spec.dtype, name=f"input_{place}")
            for place, spec in enumerate(self._inputs)
        ]
        self._function = tf.function(self._called, input_signature=signature)
        # Traced here: a deployment fails once, with the reason, and not each of its scorings.
        try:
            outputs = self._function.get_concrete_function().structured_outputs
        except Exception as problem:  # Keras and TensorFlow raise whatever they met
            raise LoadFailed(f"The model cannot be computed. {full_reason(problem)}") from problem
        self._names = _output_names(model, len(outputs))
        for name, output in zip(self._names, outputs, strict=True):
            _check_output(name, output)
        self.written_by = f"Keras {file.version}"
        if file.custom:
            self.warnings = (
                f"{file.path.name} has classes or functions that are not Keras's own: {', '.join(file.custom)}. They "
                "were found where the embedded service runs; the service itself has them only with a software "
                "specification that brings them.",
            )

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each output: `prediction`, `prediction_classes` and `probability` of each row.

        The class is the place of the largest number, or where there is one number, whether it is above a half. Text,
        and one whole number a row, is the class itself: it is `prediction` alone.

        Raises:
            BadInput: the input data does not fit the model, or the model refuses it.
        """
        arrays = named_arrays(self._inputs, input_data)
        tensors = [tf.constant(arrays[spec.name], dtype=spec.dtype) for spec in self._inputs]
        try:
            outputs = self._function(*tensors)
        except (tf.errors.OpError, ValueError, TypeError) as problem:
            raise BadInput(f"The model refuses the input: {reason(problem)}") from problem
        return [_element(name, output) for name, output in zip(self._names, outputs, strict=True)]

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
        tensors = []  # a model whose input was never declared
    if not tensors:
        yield input_of("input", tf.float32, None)
    for tensor in tensors:
        shape = None if tensor.shape is None else [None if length is None else int(length) for length in tensor.shape]
        yield input_of(str(tensor.name), tf.as_dtype(tensor.dtype), shape)


def _output_names(model: Any, count: int) -> list[str]:
    names = [str(name) for name in getattr(model, "output_names", None) or ()]
    if count > 1:
        return names if len(names) == count else [f"output_{place}" for place in range(count)]
    # Of a single output the service tells the name of the last layer.
    return [str(model.layers[-1].name)] if model.layers else names or [str(model.name)]


def _check_output(name: str, output: Any) -> None:
    """Pass when rows of it can be written as JSON.

    Raises:
        LoadFailed: they cannot.
    """
    if not isinstance(output, (tf.TensorSpec, tf.Tensor)):
        raise not_dense_output(name)
    family_of(f"Output '{name}'", output.dtype.name)
    if output.shape.rank == 0:
        raise LoadFailed(f"Output '{name}' has no batch axis: it is a single value, and an answer has rows.")


def _element(name: str, output: Any) -> dict[str, Any]:
    rows = values_of(output)
    dtype, single = output.dtype, output.shape.rank < 2 or output.shape[-1] == 1
    if dtype == tf.string or (dtype.is_integer and single):
        return {"id": name, "fields": ["prediction"], "values": [[row] for row in rows]}
    numbers = output.numpy().astype(np.float64)
    classes = (numbers > 0.5).astype(int) if single else numbers.argmax(axis=-1)
    return {
        "id": name,
        "fields": ["prediction", "prediction_classes", "probability"],
        "values": [[row, chosen, row] for row, chosen in zip(rows, classes.tolist(), strict=True)],
    }
