"""Scores rows in requests of limited size and joins the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.client.outputs import RecognisedOutputs, as_arrays, columns, recognise_outputs
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.limits import check_count, check_share
from pytest_wml.contract.rows import Rows, as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment

TOP = 3


def _no_progress(line: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Scoring:
    """Scoring settings of a check.

    Args:
        batch_size: number of rows in one request.
        threshold: for a model with one sigmoid output, the smallest probability of class 1.
        progress: called with each line of progress.
    """

    batch_size: int = 256
    threshold: float | None = None
    progress: Callable[[str], None] = _no_progress


DEFAULT_SCORING = Scoring()


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of a deployment to N rows.

    Args:
        outputs: arrays [N, …] by output name.
        classes: text [N]; None if there are none.
        probabilities: float64 [N, number of classes]; None if there are none.
        columns: the class of each column of the probabilities, or the column number if the class is unknown.
    """

    outputs: Mapping[str, NDArray[Any]]
    classes: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    columns: tuple[int | str, ...] = ()

    def require_classes(self, check: str) -> NDArray[Any]:
        """Return the classes.

        Raises:
            BadContract: the answer contains none.
        """
        if self.classes is None:
            raise self._missing("classes", check)
        return self.classes

    def require_probabilities(self, check: str) -> NDArray[np.float64]:
        """Return the probabilities.

        Raises:
            BadContract: the answer contains none.
        """
        if self.probabilities is None:
            raise self._missing("probabilities", check)
        return self.probabilities

    def top(self, row: int) -> list[tuple[int | str, float]]:
        """The most probable classes of a row with their probabilities; empty if there are none."""
        if self.probabilities is None:
            return []
        shares = self.probabilities[row]
        best = np.argsort(-shares, kind="stable")[:TOP]
        return [(self.columns[column], float(shares[column])) for column in best]

    def _missing(self, what: str, check: str) -> BadContract:
        outputs = ", ".join(f"{name} {list(array.shape)}" for name, array in self.outputs.items())
        return BadContract(
            f"The deployment's answer contains no {what}, which the check {check} needs.",
            answered=outputs,
            fix="for a model with one sigmoid output wml_contract.scoring(threshold=0.5), how=Scoring(threshold=0.5);\n"
            "parity, batch_consistency, repeatability, signature, rest and latency check any model",
        )


def score_rows(deployment: Deployment, rows: Rows, how: Scoring) -> Answers:
    """Score every row.

    Raises:
        BadPayload: the rows do not fit the model's signature.
        BadContract: the number of answered rows differs from the number of sent rows.
    """
    check_count("batch_size", how.batch_size, 1)
    if how.threshold is not None:
        check_share("threshold", how.threshold)
    parts = []
    for start in range(0, len(rows), how.batch_size):
        part = rows.take(slice(start, start + how.batch_size))
        answer = deployment.predict(part.model_input)
        parts.append(_row_outputs(answer.outputs, len(part)))
        if len(rows) > how.batch_size:
            how.progress(f"{deployment.name}: scored {start + len(part)} of {len(rows)} rows")
    # Recognised over all rows, so that the result does not depend on the batch size.
    outputs = {name: _join(name, parts) for name in parts[0] if all(name in part for part in parts)}
    return _answers(as_arrays(outputs), recognise_outputs(outputs), how)


def _join(name: str, parts: Sequence[Mapping[str, NDArray[Any]]]) -> NDArray[Any]:
    shapes = {part[name].shape[1:] for part in parts}
    if len(shapes) > 1:
        raise BadContract(
            "The shapes of the answered rows differ between requests.",
            output=name,
            shapes=", ".join(str(list(shape)) for shape in sorted(shapes)),
            fix="score the rows in one request: Scoring(batch_size=…)",
        )
    return np.concatenate([part[name] for part in parts])


def _row_outputs(outputs: Mapping[str, NDArray[Any]], length: int) -> dict[str, NDArray[Any]]:
    """The outputs with one entry for each row; other outputs are left out."""
    rowwise = {name: array for name, array in outputs.items() if array.shape[:1] == (length,)}
    if not rowwise:
        answered = ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items()) or "nothing"
        raise BadContract(
            f"The deployment did not return one answer for each of {length} rows.",
            answered=answered,
            fix="look at the raw answer: wml_deployment.predict(images).raw",
        )
    return rowwise


def _answers(outputs: dict[str, NDArray[Any]], recognised: RecognisedOutputs, how: Scoring) -> Answers:
    classes, probabilities = recognised.classes, recognised.probabilities
    likely = _sigmoid(outputs, probabilities, how)
    if likely is not None:
        probabilities = np.stack([1 - likely, likely], axis=1)
        if how.threshold is not None:
            classes = (likely >= how.threshold).astype(np.int64)
        elif not recognised.stated:
            classes = None  # the position of the largest of one number
    if classes is not None and classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    if classes is not None and (classes.ndim != 1 or _is_fractional(classes)):
        classes = None  # values of a regression model
    text = None if classes is None else as_text(classes)
    return Answers(outputs, text, probabilities, _columns(text, probabilities, recognised))


def _columns(
    classes: NDArray[Any] | None, probabilities: NDArray[Any] | None, recognised: RecognisedOutputs
) -> tuple[int | str, ...]:
    if probabilities is None:
        return ()
    labels = recognised.labels if len(recognised.labels) == probabilities.shape[1] else ()
    if classes is None or not recognised.stated:
        return labels or tuple(range(probabilities.shape[1]))
    return columns(classes, probabilities, labels)


def _sigmoid(
    outputs: Mapping[str, NDArray[Any]], probabilities: NDArray[Any] | None, how: Scoring
) -> NDArray[Any] | None:
    """The probability of class 1 in each row, if the answer contains nothing else; None for any other answer."""
    if probabilities is not None:
        return probabilities[:, 0] if probabilities.shape[1] == 1 else None
    if how.threshold is None:
        return None
    floats = [array.reshape(len(array), -1) for array in outputs.values() if array.dtype.kind == "f"]
    return floats[0][:, 0] if floats and floats[0].shape[1] == 1 else None


def _is_fractional(classes: NDArray[Any]) -> bool:
    return classes.dtype.kind == "f" and not bool((classes == np.floor(classes)).all())


def float_dtypes(deployment: Deployment) -> list[str]:
    """The types of the deployment's float outputs, as far as they are known."""
    signature = deployment.archive.signature
    return [spec.dtype for spec in signature.outputs if "float" in spec.dtype] if signature else []
