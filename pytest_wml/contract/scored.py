"""Rows scored in requests of limited size, and their answers put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.client.outputs import Recognised, as_arrays, columns, recognised
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.limits import check_count, check_share
from pytest_wml.contract.rows import Rows, as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment

TOP = 3


def _silent(line: str) -> None:
    """Nobody is shown anything."""


@dataclass(frozen=True)
class Scoring:
    """How a check scores.

    Args:
        batch_size: rows in one request.
        threshold: for a model with one sigmoid output: class 1 from this probability on.
        progress: is told of long work, a line at a time.
    """

    batch_size: int = 256
    threshold: float | None = None
    progress: Callable[[str], None] = _silent


DEFAULT = Scoring()


@dataclass(frozen=True, eq=False)
class Answers:
    """What a deployment answered to N rows.

    Args:
        outputs: arrays [N, …] by name.
        classes: text [N]; None where there are none.
        probabilities: float64 [N, number of classes]; None where there are none.
        columns: the class of each column of the probabilities, or its number where that is not known.
    """

    outputs: Mapping[str, NDArray[Any]]
    classes: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    columns: tuple[int | str, ...] = ()

    def require_classes(self, check: str) -> NDArray[Any]:
        """The classes.

        Raises:
            BadContract: the answer holds none.
        """
        if self.classes is None:
            raise self._without("classes", check)
        return self.classes

    def require_probabilities(self, check: str) -> NDArray[np.float64]:
        """The probabilities.

        Raises:
            BadContract: the answer holds none.
        """
        if self.probabilities is None:
            raise self._without("probabilities", check)
        return self.probabilities

    def top(self, row: int) -> list[tuple[int | str, float]]:
        """The likeliest classes of a row with their probabilities; empty where there are none."""
        if self.probabilities is None:
            return []
        shares = self.probabilities[row]
        best = np.argsort(-shares, kind="stable")[:TOP]
        return [(self.columns[place], float(shares[place])) for place in best]

    def _without(self, what: str, check: str) -> BadContract:
        outputs = ", ".join(f"{name} {list(array.shape)}" for name, array in self.outputs.items())
        return BadContract(
            f"The deployment's answer holds no {what}, which the check {check} needs.",
            answered=outputs,
            fix="for a model with one sigmoid output wml_contract.scoring(threshold=0.5), how=Scoring(threshold=0.5);\n"
            "parity, batch_consistency, repeatability, signature, rest and latency check any model",
        )


def scored(deployment: Deployment, rows: Rows, how: Scoring) -> Answers:
    """Score every row.

    Raises:
        BadPayload: the rows do not fit the model's signature.
        BadContract: the answer has another number of rows than were sent.
    """
    check_count("batch_size", how.batch_size, 1)
    if how.threshold is not None:
        check_share("threshold", how.threshold)
    parts = []
    for start in range(0, len(rows), how.batch_size):
        part = rows.take(slice(start, start + how.batch_size))
        answer = deployment.predict(part.given)
        parts.append(_rowwise(answer.outputs, len(part)))
        if len(rows) > how.batch_size:
            how.progress(f"{deployment.name}: scored {start + len(part)} of {len(rows)} rows")
    # All rows together: what is recognised must not depend on how they were divided into requests.
    outputs = {name: _joined(name, parts) for name in parts[0] if all(name in part for part in parts)}
    return _answers(as_arrays(outputs), recognised(outputs), how)


def _joined(name: str, parts: Sequence[Mapping[str, NDArray[Any]]]) -> NDArray[Any]:
    shapes = {part[name].shape[1:] for part in parts}
    if len(shapes) > 1:
        raise BadContract(
            "The deployment answers rows of other shapes in other requests.",
            output=name,
            shapes=", ".join(str(list(shape)) for shape in sorted(shapes)),
            fix="score the rows in one request: Scoring(batch_size=…)",
        )
    return np.concatenate([part[name] for part in parts])


def _rowwise(outputs: Mapping[str, NDArray[Any]], length: int) -> dict[str, NDArray[Any]]:
    """The outputs with one entry a row; a model may answer other things beside them."""
    rowwise = {name: array for name, array in outputs.items() if array.shape[:1] == (length,)}
    if not rowwise:
        told = ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items()) or "nothing"
        raise BadContract(
            f"The deployment did not answer {length} rows to {length} rows.",
            answered=told,
            fix="look at the raw answer: wml_deployment.predict(images).raw",
        )
    return rowwise


def _answers(outputs: dict[str, NDArray[Any]], found: Recognised, how: Scoring) -> Answers:
    classes, probabilities = found.classes, found.probabilities
    likely = _sigmoid(outputs, probabilities, how)
    if likely is not None:
        probabilities = np.stack([1 - likely, likely], axis=1)
        if how.threshold is not None:
            classes = (likely >= how.threshold).astype(np.int64)
        elif not found.stated:
            classes = None  # the place of the largest of one number
    if classes is not None and classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    if classes is not None and (classes.ndim != 1 or _is_fractional(classes)):
        classes = None  # what a regressor answers
    text = None if classes is None else as_text(classes)
    return Answers(outputs, text, probabilities, _columns(text, probabilities, found))


def _columns(
    classes: NDArray[Any] | None, probabilities: NDArray[Any] | None, found: Recognised
) -> tuple[int | str, ...]:
    if probabilities is None:
        return ()
    labels = found.labels if len(found.labels) == probabilities.shape[1] else ()
    if classes is None or not found.stated:
        return labels or tuple(range(probabilities.shape[1]))
    return columns(classes, probabilities, labels)


def _sigmoid(
    outputs: Mapping[str, NDArray[Any]], probabilities: NDArray[Any] | None, how: Scoring
) -> NDArray[Any] | None:
    """The probability of class 1 in each row, where the answer holds that alone; None for any other answer."""
    if probabilities is not None:
        return probabilities[:, 0] if probabilities.shape[1] == 1 else None
    if how.threshold is None:
        return None
    floats = [array.reshape(len(array), -1) for array in outputs.values() if array.dtype.kind == "f"]
    return floats[0][:, 0] if floats and floats[0].shape[1] == 1 else None


def _is_fractional(classes: NDArray[Any]) -> bool:
    return classes.dtype.kind == "f" and not bool((classes == np.floor(classes)).all())


def float_dtypes(deployment: Deployment) -> list[str]:
    """The numpy-like types of the deployment's outputs of floats, as far as they are known."""
    signature = deployment.archive.signature
    return [spec.dtype for spec in signature.outputs if "float" in spec.dtype] if signature else []
