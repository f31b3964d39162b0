"""Sample rows of a check for the report: input, expected class, predicted class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import Answers
from pytest_wml.contract.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 24
"""Number of rows of a check that are kept for the report, violations first."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One row of a check with its answer.

    Args:
        row: number of the row, counted from 0.
        expected: expected class.
        predicted: predicted class.
        probabilities: [number of classes]; empty if the answer contains none.
        given: the row's value by input name; a model with one input has the empty name.
        columns: the class of each probability; empty if the class is the column number.
    """

    row: int
    expected: str
    predicted: str
    probabilities: tuple[float, ...]
    given: Mapping[str, NDArray[Any]]
    columns: tuple[int | str, ...] = ()


def samples_of(rows: Rows, answers: Answers, expected: NDArray[Any]) -> tuple[Sample, ...]:
    """At most 24 rows, misclassified rows first.

    Args:
        rows: the scored rows.
        answers: the answers to the rows, with classes.
        expected: [N] expected classes as text.
    """
    predicted = answers.require_classes("a report")
    order = np.argsort(expected == predicted, kind="stable")[:SHOWN].tolist()
    return tuple(
        Sample(
            row,
            str(expected[row]),
            str(predicted[row]),
            () if answers.probabilities is None else tuple(answers.probabilities[row].tolist()),
            {name: array[row] for name, array in rows.arrays.items()},
            answers.columns,
        )
        for row in order
    )
