"""TensorFlow SavedModels."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pytest_wml.embedded.runtimes.protocol import BadInput, LoadFailed
from pytest_wml.embedded.runtimes.tensors import Family, Input, named_arrays

_DEFAULT_SIGNATURE = "serving_default"


def load(folder: Path) -> SavedModel:
    """Load the SavedModel in `folder`, tag `serve`.

    Raises:
        LoadFailed: TensorFlow cannot load it, or it has no signature that can be served.
    """
    _share_the_gpu()
    try:
        return SavedModel(tf.saved_model.load(str(folder), tags=["serve"]))
    except LoadFailed:
        raise
    except Exception as problem:  # TensorFlow raises whatever it met
        reason = _reason(problem).replace(str(folder), "<model>")
        raise LoadFailed(f"TensorFlow cannot load the model. {type(problem).__name__}: {reason}") from problem


class SavedModel:
    """One signature of a loaded SavedModel.

    The signature `serving_default` is served, else the only one there is.
    """

    def __init__(self, loaded: Any) -> None:
        # A signature holds its variables weakly: without the object it came from they are gone.
        self._loaded = loaded
        self._function = loaded.signatures[_signature_name(loaded)]
        _, inputs = self._function.structured_input_signature
        self._inputs = [_input(name, inputs[name]) for name in sorted(inputs)]
        for name, output in self._function.structured_outputs.items():
            _family(f"Output '{name}'", output.dtype)

    def score(self, input_data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One prediction for each output of the signature, sorted by its key: the raw tensor as nested lists.

        Numbers are those of the tensor, float32 written as the double that it is.

        Raises:
            BadInput: the input data does not fit the signature, or the graph refuses it.
        """
        arrays = named_arrays(self._inputs, input_data)
        dtypes = {spec.name: spec.dtype for spec in self._inputs}
        tensors = {name: tf.constant(array, dtype=dtypes[name]) for name, array in arrays.items()}
        try:
            outputs = self._function(**tensors)
        except tf.errors.InvalidArgumentError as problem:
            raise BadInput(f"The model refuses the input: {_reason(problem)}") from problem
        return [{"id": key, "values": _values(outputs[key])} for key in sorted(outputs)]


def _signature_name(loaded: Any) -> str:
    names = list(loaded.signatures)
    if _DEFAULT_SIGNATURE in names:
        return _DEFAULT_SIGNATURE
    if len(names) == 1:
        return str(names[0])
    if not names:
        raise LoadFailed("The SavedModel has no signature.")
    raise LoadFailed(f"The SavedModel has several signatures and none is '{_DEFAULT_SIGNATURE}': {', '.join(names)}.")


def _input(name: str, spec: Any) -> Input:
    if not isinstance(spec, tf.TensorSpec):
        raise LoadFailed(f"Input '{name}' is no dense tensor, which is all that JSON values can fill.")
    return Input(
        name=name,
        dtype=spec.dtype.name,
        family=_family(f"Input '{name}'", spec.dtype),
        numpy_dtype=spec.dtype.as_numpy_dtype,
        shape=None if spec.shape.rank is None else tuple(spec.shape.as_list()),
    )


def _family(whose: str, dtype: Any) -> Family:
    if dtype.is_floating:
        return "float"
    if dtype.is_integer:
        return "integer"
    if dtype.is_bool:
        return "boolean"
    if dtype == tf.string:
        return "string"
    raise LoadFailed(f"{whose} is of dtype {dtype.name}, which JSON cannot carry.")


def _values(tensor: Any) -> Any:
    array = np.asarray(tensor.numpy())
    if tensor.dtype == tf.string:
        return _decoded(array.tolist())
    if tensor.dtype == tf.bfloat16:
        array = array.astype(np.float32)
    return array.tolist()


def _decoded(values: Any) -> Any:
    if isinstance(values, list):
        return [_decoded(value) for value in values]
    return values.decode(errors="replace")


def _reason(problem: Exception) -> str:
    # TensorFlow tells where in the graph first, if at all, then why, then the node: [[{{node GatherV2}}]].
    told = re.sub(r"{{\w+ [^}]*}} ?", "", str(problem))
    lines = [line.strip() for line in told.splitlines() if line.strip() and not line.strip().startswith("[[")]
    if not lines:
        return type(problem).__name__
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]


def _share_the_gpu() -> None:
    # By default TensorFlow takes all of a GPU's memory, which the training of the same run would miss.
    for gpu in tf.config.list_physical_devices("GPU"):
        # Too late when the device is in use already, and not for who has divided it up otherwise.
        with contextlib.suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)
