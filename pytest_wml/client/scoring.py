"""Arrays to WML's `input_data`, and WML's `predictions` back to arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wml.client.outputs import recognised
from pytest_wml.errors import BadPayload
from pytest_wml.model.signature import Signature, TensorSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Prediction:
    """What a deployment answered.

    Args:
        classes: int64 or str [N], the model's own labels; the column of the largest probability only where no
            output holds them. None where the answer holds neither classes nor probabilities.
        probabilities: float64 [N, number of classes], also where the answer holds them as maps from class to
            probability; None where it holds none.
        outputs: every output by its name, as arrays with the batch first; maps are arrays of dictionaries. Where
            several outputs have a field of one name, it is the last one's, and `id.field` is that of the others.
        raw: the answer as IBM's client gave it.
        reshaped: what was done to the array to fit the signature; empty for nothing.
        labels: the class of each column of `probabilities`, where the answer names them; else empty.
    """

    classes: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    outputs: Mapping[str, NDArray[Any]] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)
    reshaped: str = ""
    labels: tuple[int | str, ...] = ()


def payload(array: ArrayLike | Mapping[str, ArrayLike], signature: Signature | None) -> tuple[dict[str, Any], str]:
    """The `input_data` for an array, and what was reshaped.

    Images are reshaped to what the signature asks for where only the layout of one row differs, as in
    [N, 28, 28] for [None, 784]; a single row gets its batch axis.

    Args:
        array: [N, …] for a model with one input, else a mapping of input names to such arrays.
        signature: what the model takes; None sends the array as it is.

    Raises:
        BadPayload: it does not fit the signature.
    """
    import numpy as np

    if isinstance(array, Mapping):
        named = {name: np.asarray(values) for name, values in array.items()}
        _check_names(named, signature)
        elements = []
        notes = []
        for name, values in named.items():
            fitted, note = _fitted(values, _input(signature, name))
            elements.append({"id": name, "values": fitted.tolist()})
            notes.append(note)
        return {"input_data": elements}, "; ".join(note for note in notes if note)
    fitted, note = _fitted(np.asarray(array), _only_input(signature))
    return {"input_data": [{"values": fitted.tolist()}]}, note


def _input(signature: Signature | None, name: str) -> TensorSpec | None:
    return next((spec for spec in signature.inputs if spec.name == name), None) if signature else None


def _only_input(signature: Signature | None) -> TensorSpec | None:
    if signature is None:
        return None
    if len(signature.inputs) != 1:
        names = ", ".join(spec.name for spec in signature.inputs)
        raise BadPayload(
            f"The model has {len(signature.inputs)} inputs; one array does not say which is meant.",
            inputs=names,
            fix="pass a mapping: predict({'" + "': …, '".join(names.split(", ")) + "': …})",
        )
    return signature.inputs[0]


def _check_names(named: Mapping[str, Any], signature: Signature | None) -> None:
    known = {spec.name for spec in signature.inputs} if signature else set(named)
    if set(named) != known:
        raise BadPayload(
            "The inputs' names are not the signature's.",
            given=", ".join(sorted(named)),
            signature=signature,
            fix="name every input of the signature, and no other",
        )


def _fitted(array: NDArray[Any], spec: TensorSpec | None) -> tuple[NDArray[Any], str]:
    """The array with rows of the signature's shape, and what was done to it."""
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
        fix=f"pass rows that hold {size} numbers each, the batch first",
    )


def _same_layout(given: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether reshaping only flattens, unflattens, or moves axes of length one: nothing else keeps the order."""
    ours, theirs = ([length for length in shape if length != 1] for shape in (given, wanted))
    return ours == theirs or len(ours) <= 1 or len(theirs) <= 1


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        length is None or length == ours for ours, length in zip(shape, wanted, strict=True)
    )


def prediction(raw: Any, reshaped: str = "") -> Prediction:
    """Read an answer: outputs by `id`, or the `fields` form of Keras and scikit-learn models.

    Raises:
        BadPayload: the answer is not of WML's form.
    """
    outputs = _outputs(raw)
    found = recognised(outputs)
    return Prediction(found.classes, found.probabilities, outputs, raw, reshaped, found.labels)


def _outputs(raw: Any) -> dict[str, NDArray[Any]]:
    try:
        outputs: dict[str, NDArray[Any]] = {}
        owners: dict[str, str] = {}
        for number, element in enumerate(raw["predictions"]):
            if "fields" in element:
                for place, name in enumerate(element["fields"]):
                    if name in owners:
                        outputs[f"{owners[name]}.{name}"] = outputs[name]
                    outputs[name] = _array([row[place] for row in element["values"]])
                    owners[name] = element.get("id", f"output_{number}")
            else:
                outputs[element.get("id", f"output_{number}")] = _array(element["values"])
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise BadPayload(
            "The answer is not of WML's form.",
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
