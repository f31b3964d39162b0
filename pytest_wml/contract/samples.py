"""A few rows of a check as somebody looks at them: what was sent, what was expected, what was answered."""

from __future__ import annotations

from collections.abc import Mapping
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
        given: the row of each input by its name; under the empty name for a model with one input.
        columns: the class of each probability; empty where it is the probability's place.
    """

    row: int
    expected: str
    predicted: str
    probabilities: tuple[float, ...]
    given: Mapping[str, NDArray[Any]]
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
