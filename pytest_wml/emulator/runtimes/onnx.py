"""ONNX models, scored with ONNX Runtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel
from pytest_wml.emulator.runtimes.tensors import Input, named_arrays
from pytest_wml.model.causes import full_reason
from pytest_wml.model.serving import Family, LoadFailed

_FAMILIES: dict[str, tuple[Family, str]] = {
    "tensor(float16)": ("float", "float16"),
    "tensor(float)": ("float", "float32"),
    "tensor(double)": ("float", "float64"),
    "tensor(bool)": ("boolean", "bool"),
    "tensor(string)": ("string", "object"),
    **{f"tensor({kind})": ("integer", kind) for kind in ("int8", "int16", "int32", "int64")},
    **{f"tensor({kind})": ("integer", kind) for kind in ("uint8", "uint16", "uint32", "uint64")},
}


def load(folder: Path, trusted: bool = False) -> Session:
    """Load the `.onnx` file in `folder`, outputs named.

    Raises:
        LoadFailed: ONNX Runtime cannot load it, or it has an input or output of a type that JSON does not carry.
    """
    del trusted  # there is no Python in it
    return Session(folder, named=True)


class Session(LoadedModel):
    """A loaded ONNX graph.

    Args:
        folder: has one `.onnx` file at its root, and the files with its weights if they are apart.
        named: whether each output has its name as `id`.
    """

    def __init__(self, folder: Path, *, named: bool) -> None:
        found = sorted(folder.glob("*.onnx"))
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise LoadFailed(f"The archive needs one .onnx file at its root; found {names}.")
        try:
            self._session = onnxruntime.InferenceSession(str(found[0]), providers=["CPUExecutionProvider"])
        except Exception as problem:  # ONNX Runtime's own exceptions have no common root but this
            reason = full_reason(problem).replace(str(folder), "<model>")
            raise LoadFailed(f"ONNX Runtime cannot load the model. {reason}") from problem
        self._inputs = [_input(spec) for spec in self._session.get_inputs()]
        self._outputs = [_output(spec) for spec in self._session.get_outputs()]
        self._named = named

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each output of the graph, in the graph's order.

        Raises:
            BadInput: the input data does not fit, or the graph refuses it.
        """
        arrays = named_arrays(self._inputs, input_data)
        # Text is given as text here; TensorFlow takes the bytes of it.
        feeds = {name: _decoded(values) if values.dtype == object else values for name, values in arrays.items()}
        try:
            outputs = self._session.run(self._outputs, feeds)
        except Exception as problem:  # as above
            raise BadInput(f"The model refuses the input. {full_reason(problem)}") from problem
        values = map(_values, outputs)
        if self._named:
            return [{"id": name, "values": value} for name, value in zip(self._outputs, values, strict=True)]
        return [{"values": value} for value in values]


def _input(spec: Any) -> Input:
    if spec.type not in _FAMILIES:
        raise LoadFailed(f"Input '{spec.name}' is of type {spec.type}, which JSON values cannot fill.")
    family, dtype = _FAMILIES[spec.type]
    shape = tuple(length if isinstance(length, int) else None for length in spec.shape)
    return Input(spec.name, np.dtype(dtype).name if family != "string" else "string", family, dtype, shape)


def _output(spec: Any) -> str:
    # A tensor, or tensors in sequences and maps: seq(map(int64,tensor(float))).
    tensors = re.findall(r"\w*tensor\(\w+\)", spec.type)
    if not set(tensors) <= set(_FAMILIES):
        raise LoadFailed(f"Output '{spec.name}' is of type {spec.type}, which JSON cannot carry.")
    return str(spec.name)


def _decoded(values: Any) -> Any:
    flat = [value.decode() for value in values.reshape(-1)]
    return np.array(flat, dtype=object).reshape(values.shape)


def _values(output: Any) -> Any:
    # A list of maps is what converters from scikit-learn make of probabilities; JSON's keys are text.
    if isinstance(output, np.ndarray):
        return output.tolist()
    if isinstance(output, list):
        return [_values(value) for value in output]
    if isinstance(output, dict):
        return {str(key): _values(value) for key, value in output.items()}
    return output
