"""A few rows of a check as somebody looks at them: image, what was expected, what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.rows import Rows
from pytest_wml.contract.scored import Answers

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 24
"""Rows of a check that are kept for a report, those that break the promise first."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One row.

    Args:
        row: its number, counted from 0.
        expected: class.
        predicted: class.
        probabilities: [number of classes]; empty where the answer holds none.
        image: the row; None where it is none of numbers.
        columns: the class of each probability; empty where it is the probability's place.
    """

    row: int
    expected: str
    predicted: str
    probabilities: tuple[float, ...]
    image: NDArray[Any] | None
    columns: tuple[int | str, ...] = ()


def samples_of(rows: Rows, answers: Answers, expected: NDArray[Any]) -> tuple[Sample, ...]:
    """At most 24 rows, those first that got another class than the expected one.

    Args:
        rows: that were scored.
        answers: to them; with classes.
        expected: [N] classes as text.
    """
    predicted = answers.require_classes("a report")
    order = np.argsort(expected == predicted, kind="stable")[:SHOWN].tolist()
    images = rows.images(order)
    return tuple(
        Sample(
            row,
            str(expected[row]),
            str(predicted[row]),
            () if answers.probabilities is None else tuple(answers.probabilities[row].tolist()),
            images.get(row),
            answers.columns,
        )
        for row in order
    )
