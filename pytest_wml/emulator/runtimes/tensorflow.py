"""TensorFlow SavedModels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel, ScoringFailed
from pytest_wml.emulator.runtimes.tensors import Input, named_arrays
from pytest_wml.emulator.runtimes.tf_tensors import input_of, share_the_gpu, values_of
from pytest_wml.model.causes import full_reason, reason
from pytest_wml.model.serving import LoadFailed, family_of, not_dense_output, require_inputs, served_name


def load(folder: Path, trusted: bool = False) -> ServedSavedModel:
    """Load the SavedModel in `folder`, tag `serve`.

    Raises:
        LoadFailed: TensorFlow cannot load it, or it has no signature that can be served.
    """
    del trusted  # there is no Python in it
    share_the_gpu()
    try:
        return ServedSavedModel(tf.saved_model.load(str(folder), tags=["serve"]))
    except LoadFailed:
        raise
    except Exception as problem:  # TensorFlow raises whatever it met
        why = full_reason(problem).replace(str(folder), "<model>")
        raise LoadFailed(f"TensorFlow cannot load the model. {why}") from problem


class ServedSavedModel(LoadedModel):
    """One signature of a loaded SavedModel.

    The signature `serving_default` is served, else the only one there is.
    """

    def __init__(self, loaded: Any) -> None:
        # A signature holds its variables weakly: without the object it came from they are gone.
        self._loaded = loaded
        self._function = loaded.signatures[served_name(list(loaded.signatures))]
        _, inputs = self._function.structured_input_signature
        require_inputs(len(inputs))
        self._inputs = [_input(name, inputs[name]) for name in sorted(inputs)]
        self._dtypes = {name: spec.dtype for name, spec in inputs.items()}
        for name, output in self._function.structured_outputs.items():
            # What TensorFlow 1 wrote tells its outputs by the tensors themselves.
            if isinstance(output, tf.TypeSpec) and not isinstance(output, tf.TensorSpec):
                raise not_dense_output(name)
            family_of(f"Output '{name}'", output.dtype.name)
        version = getattr(loaded, "tensorflow_version", "")
        self.written_by = f"TensorFlow {version}" if version else ""

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each output of the signature, sorted by its key: the raw tensor as nested lists.

        Numbers are those of the tensor, float32 written as the double that it is.

        Raises:
            BadInput: the input data does not fit the signature, or the graph refuses it.
            ScoringFailed: the graph cannot be computed here.
        """
        arrays = named_arrays(self._inputs, input_data)
        tensors = {name: tf.constant(array, dtype=self._dtypes[name]) for name, array in arrays.items()}
        try:
            outputs = self._function(**tensors)
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as problem:
            raise BadInput(f"The model refuses the input: {reason(problem)}") from problem
        except tf.errors.OpError as problem:
            raise ScoringFailed(f"TensorFlow cannot compute the model. {reason(problem)}") from problem
        return [{"id": key, "values": values_of(outputs[key])} for key in sorted(outputs)]


def _input(name: str, spec: Any) -> Input:
    if not isinstance(spec, tf.TensorSpec):
        raise LoadFailed(f"Input '{name}' is no dense tensor, which is all that JSON values can fill.")
    return input_of(name, spec.dtype, None if spec.shape.rank is None else spec.shape.as_list())
