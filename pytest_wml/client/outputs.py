"""Recognises the outputs of an answer that contain classes and probabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CLASSES = ("classes", "prediction_classes", "class", "labels")
_PROBABILITIES = ("probabilities", "probability", "scores")
_CLASS_WORDS = ("class", "label", "categor")
_COUNT_WORDS = frozenset({"num", "number", "count", "counts", "total", "size", "length", "len", "n"})
# Words in the names of outputs whose values are not classes.
_OTHER_WORDS = _COUNT_WORDS | {"id", "ids", "key", "keys", "index", "row", "rows", "position", "offset", "seed"}
_OTHER_WORDS |= {"time", "timestamp", "date", "year", "version", "step", "name", "text"}
_TIE = 1e-6


@dataclass(frozen=True, eq=False)
class RecognisedOutputs:
    """The classes and probabilities in an answer.

    Args:
        classes: [N]; None if there are none.
        probabilities: float64 [N, number of classes]; None if there are none.
        labels: the class of each column of the probabilities, if the answer names them.
        stated: whether an output contains the classes; otherwise a class is the column of the largest probability.
    """

    classes: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    labels: tuple[int | str, ...] = ()
    stated: bool = False


def recognise_outputs(outputs: Mapping[str, NDArray[Any]]) -> RecognisedOutputs:
    """Find the classes and the probabilities among the outputs of an answer.

    Classes are recognised by the output's name or by its form: one whole number or text for each row, beside an output
    with one number for each class. Probabilities are an output of that form, or maps from class to probability. If no
    output contains the classes, the class is the column of the largest probability.

    Args:
        outputs: arrays with the batch first, by name; maps as arrays of dictionaries.
    """
    maps = {name: found for name, array in outputs.items() if (found := _table(array)) is not None}
    arrays = {**outputs, **{name: table for name, (_, table) in maps.items()}}
    chosen = _named_probabilities(arrays) or next(iter(maps), "")
    probabilities = arrays[chosen] if chosen and _is_table(arrays[chosen]) else None
    keys = maps[chosen][0] if chosen in maps else ()
    classes = _class_output(arrays, probabilities, keys)
    if probabilities is None and classes is not None and not chosen:
        probabilities = _distribution(arrays, classes)
    labels = _as_labels(keys, classes)
    if classes is None:
        return RecognisedOutputs(_largest(probabilities, labels), probabilities, labels)
    return RecognisedOutputs(classes, probabilities, labels, stated=True)


def columns(classes: NDArray[Any], probabilities: NDArray[Any], labels: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The class of each column of the probabilities; the column number if the class is unknown.

    Args:
        classes: text [N].
        probabilities: [N, number of classes].
        labels: the columns' labels in the answer; empty if it has none.
    """
    if labels:
        return labels
    numbers = tuple(range(probabilities.shape[1]))
    pairs = _pairs(classes, probabilities)
    if not _are_consistent(pairs) or all(label == str(column) for column, [label] in pairs.items()):
        return numbers
    return tuple(pairs[place][0] if place in pairs else f"column {place}" for place in numbers)


def as_arrays(outputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The outputs, with maps from class to number converted to arrays with a column for each class."""
    return {name: array if (found := _table(array)) is None else found[1] for name, array in outputs.items()}


def _table(array: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
    """The keys and the numbers of maps that have the same keys; None for anything else."""
    import numpy as np

    rows = array.tolist() if array.dtype.kind == "O" and array.ndim == 1 else []
    if not rows or not all(isinstance(row, dict) and row and row.keys() == rows[0].keys() for row in rows):
        return None
    keys = tuple(map(str, rows[0]))
    if not all(type(number) in (int, float) for row in rows for number in row.values()):
        return None
    return keys, np.array([[row[key] for key in rows[0]] for row in rows], dtype=np.float64)


def _named_probabilities(arrays: Mapping[str, NDArray[Any]]) -> str:
    named = next((name for name in _PROBABILITIES if name in arrays), "")
    if not named and len(arrays) == 1:
        only, array = next(iter(arrays.items()))
        named = only if _is_table(array) and array.shape[1] > 1 and array.dtype.kind == "f" else ""
    return named


def _is_table(array: NDArray[Any]) -> bool:
    return array.ndim == 2 and array.dtype.kind in "fi"


def _class_output(
    arrays: Mapping[str, NDArray[Any]], probabilities: NDArray[Any] | None, keys: tuple[str, ...]
) -> NDArray[Any] | None:
    """The output that contains the classes."""
    for name in _CLASSES:
        if name in arrays:
            return _most_probable(arrays[name], probabilities)
    if len(arrays) == 1:
        only = next(iter(arrays.values()))
        return only if only.ndim == 1 else _one_per_row(only, "iuU")
    prediction = arrays["prediction"] if "prediction" in arrays and arrays["prediction"].ndim == 1 else None
    if prediction is not None and (probabilities is None or _one_per_row(prediction, "biufU") is not None):
        return prediction
    found = _by_word(arrays, probabilities) or _by_form(arrays, probabilities, keys)
    return found[0] if found else prediction


def _most_probable(classes: NDArray[Any], probabilities: NDArray[Any] | None) -> NDArray[Any]:
    """The class of each row; rows that list all classes beside their scores (TensorFlow's estimators) get the best."""
    import numpy as np

    if probabilities is None or classes.shape != probabilities.shape or classes.shape[1] < 2:
        return classes
    if classes.dtype.kind not in "iuU":
        return classes
    best: NDArray[Any] = np.take_along_axis(classes, probabilities.argmax(axis=1)[:, None], axis=1)[:, 0]
    return best


def _one_per_row(array: NDArray[Any], kinds: str) -> NDArray[Any] | None:
    """An output with one value for each row, as [N]; None for other outputs and for fractional numbers."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in kinds or not array.size:
        return None
    if array.dtype.kind == "f" and not bool((array == array.round()).all()):
        return None
    return array


def _by_word(arrays: Mapping[str, NDArray[Any]], probabilities: NDArray[Any] | None) -> list[NDArray[Any]]:
    """Outputs with a word for classes in their name, such as `output_label`; text outputs come first."""
    found = [
        array
        for name, output in arrays.items()
        if any(word.startswith(_CLASS_WORDS) for word in _words(name)) and not _COUNT_WORDS & _words(name)
        if (array := _one_per_row(_most_probable(output, probabilities), "biufU")) is not None
        and (probabilities is None or len(array) == len(probabilities))
    ]
    return sorted(found, key=lambda array: array.dtype.kind != "U")


def _by_form(
    arrays: Mapping[str, NDArray[Any]], probabilities: NDArray[Any] | None, keys: tuple[str, ...]
) -> list[NDArray[Any]]:
    """The output whose form is that of classes; empty if several outputs have it."""
    scores = probabilities if probabilities is not None else next(filter(_has_columns, arrays.values()), None)
    if scores is None or not _has_columns(scores):
        return []
    found = [
        array
        for name, output in arrays.items()
        if not _OTHER_WORDS & _words(name)
        if (array := _one_per_row(output, "iuU")) is not None and _may_be_classes(array, scores, keys)
    ]
    return found if len(found) == 1 else []


def _has_columns(array: NDArray[Any]) -> bool:
    return array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind == "f"


def _may_be_classes(array: NDArray[Any], scores: NDArray[Any], keys: tuple[str, ...]) -> bool:
    if len(array) != len(scores):
        return False
    values = set(map(str, array.tolist()))
    return values <= set(keys) if keys else len(values) <= scores.shape[1] and _are_consistent(_pairs(array, scores))


def _are_consistent(pairs: Mapping[int, list[Any]]) -> bool:
    """Whether each column that is the largest of a row stands for one class, and each class for one column."""
    labels = [label for found in pairs.values() for label in found]
    return all(len(found) == 1 for found in pairs.values()) and len(set(labels)) == len(labels)


def _pairs(classes: NDArray[Any], scores: NDArray[Any]) -> dict[int, list[Any]]:
    """The classes of the rows, grouped by the column with the largest score; rows with a tie are ignored."""
    import numpy as np

    ordered = np.sort(np.nan_to_num(scores), axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > _TIE if scores.shape[1] > 1 else np.ones(len(scores), dtype=bool)
    pairs: dict[int, list[Any]] = {}
    for column, label in zip(scores[clear].argmax(axis=1).tolist(), classes[clear].tolist(), strict=True):
        found = pairs.setdefault(column, [])
        if label not in found:
            found.append(label)
    return pairs


def _distribution(arrays: Mapping[str, NDArray[Any]], classes: NDArray[Any]) -> NDArray[Any] | None:
    """The output with the probabilities of known classes: recognised by its name, or by rows that sum to 1."""
    import numpy as np

    for name, array in arrays.items():
        if not _has_columns(array) or classes.ndim != 1 or len(array) != len(classes):
            continue
        proper = bool((array >= 0).all()) and np.allclose(array.sum(axis=1), 1, atol=1e-3)
        if any(word.startswith("prob") for word in _words(name)) or (
            proper and _are_consistent(_pairs(classes, array))
        ):
            return array
    return None


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def _as_labels(keys: tuple[str, ...], classes: NDArray[Any] | None) -> tuple[int | str, ...]:
    """The keys of maps as classes; whole numbers, which JSON keys have as text, are converted back."""
    is_text = classes is not None and classes.dtype.kind == "U"
    if is_text or not all(re.fullmatch(r"-?\d+", key) for key in keys):
        return keys
    return tuple(map(int, keys))


def _largest(probabilities: NDArray[Any] | None, labels: tuple[int | str, ...]) -> NDArray[Any] | None:
    import numpy as np

    if probabilities is None or not probabilities.shape[1]:
        return None
    best: NDArray[Any] = probabilities.argmax(axis=1)
    return np.asarray(labels)[best] if labels else best
