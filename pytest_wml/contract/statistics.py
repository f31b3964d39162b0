"""Statistics of the checks: confidence interval, percentile, confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

_Z_95 = 1.959963984540054
"""The normal distribution's quantile at 97.5 %."""


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Args:
        right: number of correct rows.
        total: number of rows, at least 1.
    """
    share, z2 = right / total, _Z_95**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z_95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == total else min(1.0, centre + half)
    return low, high


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is not below the given percentage of the values (nearest rank).

    Args:
        values: at least one value.
        percent: above 0, up to 100.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def confusion(expected: Sequence[str], predicted: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """The labels, numbers first in numeric order, and the confusion matrix: rows expected, columns predicted."""
    labels = sorted({*expected, *predicted}, key=lambda label: (not label.isdecimal(), len(label), label))
    position = {label: number for number, label in enumerate(labels)}
    matrix = [[0] * len(labels) for _ in labels]
    for one, other in zip(expected, predicted, strict=True):
        matrix[position[one]][position[other]] += 1
    return labels, matrix
