"""Converts arrays to WML's `input_data`, and WML's `predictions` to arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wml.client.outputs import recognise_outputs
from pytest_wml.errors import BadPayload
from pytest_wml.model.signature import Signature, TensorSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Prediction:
    """The answer of a deployment.

    Args:
        classes: int64 or str [N], the model's own labels. If no output contains them, the column of the largest
            probability. None if the answer contains neither classes nor probabilities.
        probabilities: float64 [N, number of classes]; maps from class to probability are converted to this form.
            None if the answer contains none.
        outputs: arrays by output name, with the batch first; maps are arrays of dictionaries. If several outputs have
            a field of the same name, the name is that of the last output, and `id.field` names the others.
        raw: the answer as returned by IBM's client.
        reshaped: description of how the array was reshaped to fit the signature; empty if it was not.
        labels: the class of each column of `probabilities`; empty if the answer does not name them.
    """

    classes: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    outputs: Mapping[str, NDArray[Any]] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)
    reshaped: str = ""
    labels: tuple[int | str, ...] = ()


def payload(array: ArrayLike | Mapping[str, ArrayLike], signature: Signature | None) -> tuple[dict[str, Any], str]:
    """Return the `input_data` for an array, and a description of the reshaping.

    Images are reshaped to the signature's shape if only the layout of a row differs, such as [N, 28, 28] for
    [None, 784]. A single row gets a batch axis.

    Args:
        array: [N, …] for a model with one input, else arrays by input name.
        signature: the model's signature; None sends the array unchanged.

    Raises:
        BadPayload: the array does not fit the signature.
    """
    import numpy as np

    if isinstance(array, Mapping):
        named = {name: np.asarray(values) for name, values in array.items()}
        _check_names(named, signature)
        elements = []
        notes = []
        for name, values in named.items():
            fitted, note = _fit(values, _input(signature, name))
            elements.append({"id": name, "values": fitted.tolist()})
            notes.append(note)
        return {"input_data": elements}, "; ".join(note for note in notes if note)
    fitted, note = _fit(np.asarray(array), _only_input(signature))
    return {"input_data": [{"values": fitted.tolist()}]}, note


def _input(signature: Signature | None, name: str) -> TensorSpec | None:
    return next((spec for spec in signature.inputs if spec.name == name), None) if signature else None


def _only_input(signature: Signature | None) -> TensorSpec | None:
    if signature is None:
        return None
    if len(signature.inputs) != 1:
        names = ", ".join(spec.name for spec in signature.inputs)
        raise BadPayload(
            f"The model has {len(signature.inputs)} inputs, but one array without an input name was given.",
            inputs=names,
            fix="pass a mapping: predict({'" + "': …, '".join(names.split(", ")) + "': …})",
        )
    return signature.inputs[0]


def _check_names(named: Mapping[str, Any], signature: Signature | None) -> None:
    known = {spec.name for spec in signature.inputs} if signature else set(named)
    if set(named) != known:
        raise BadPayload(
            "The names of the inputs differ from the signature.",
            given=", ".join(sorted(named)),
            signature=signature,
            fix="give every input of the signature, and no others",
        )


def _fit(array: NDArray[Any], spec: TensorSpec | None) -> tuple[NDArray[Any], str]:
    """The array with rows in the signature's shape, and a description of the reshaping."""
    if spec is None or spec.shape is None or not spec.shape:
        return array, ""
    row = spec.shape[1:]
    if _fits(array.shape[1:], row) and array.ndim == len(spec.shape):
        return array, ""
    size = math.prod(length for length in row if length is not None)
    rows = array.shape[0] if array.ndim else 0
    if None not in row and array.size and array.size == rows * size and _same_layout(array.shape[1:], row):
        fitted = array.reshape(array.shape[0], *[int(length or 0) for length in row])
        return fitted, f"rows of {list(array.shape[1:])} were reshaped to {list(row)}"
    if _fits(array.shape, row) and array.ndim == len(row):
        return array[None], "a batch axis was added"
    if None not in row and array.size == size and _same_layout(array.shape, row):
        return array.reshape(1, *[int(length or 0) for length in row]), f"one row was reshaped to {list(row)}"
    raise BadPayload(
        f"The array does not fit input {spec.name!r} of the model.",
        given=f"shape {list(array.shape)}",
        wanted=f"shape {list(spec.shape)}",
        fix=f"pass rows of {size} numbers each, with the batch axis first",
    )


def _same_layout(given: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether reshaping keeps the order of values: it flattens, unflattens, or moves axes of length one."""
    ours, theirs = ([length for length in shape if length != 1] for shape in (given, wanted))
    return ours == theirs or len(ours) <= 1 or len(theirs) <= 1


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        length is None or length == ours for ours, length in zip(shape, wanted, strict=True)
    )


def prediction(raw: Any, reshaped: str = "") -> Prediction:
    """Read an answer: outputs with an `id`, or the `fields` format of Keras and scikit-learn models.

    Raises:
        BadPayload: the answer does not have WML's format.
    """
    outputs = _outputs(raw)
    recognised = recognise_outputs(outputs)
    return Prediction(recognised.classes, recognised.probabilities, outputs, raw, reshaped, recognised.labels)


def _outputs(raw: Any) -> dict[str, NDArray[Any]]:
    try:
        outputs: dict[str, NDArray[Any]] = {}
        owners: dict[str, str] = {}
        for number, element in enumerate(raw["predictions"]):
            if "fields" in element:
                for column, name in enumerate(element["fields"]):
                    if name in owners:
                        outputs[f"{owners[name]}.{name}"] = outputs[name]
                    outputs[name] = _array([row[column] for row in element["values"]])
                    owners[name] = element.get("id", f"output_{number}")
            else:
                outputs[element.get("id", f"output_{number}")] = _array(element["values"])
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise BadPayload(
            "The answer does not have WML's format.",
            expected='{"predictions": [{"id": …, "values": […]}]}',
            reason=repr(error),
        ) from None
    return outputs


def _array(values: Any) -> NDArray[Any]:
    """Values as an array; rows of different lengths stay lists."""
    import numpy as np

    try:
        return np.asarray(values)
    except ValueError:
        rows = np.empty(len(values), dtype=object)
        rows[:] = values
        return rows
