"""Checks that each row gets its expected class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Answers, Scoring, score_rows
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.rows import RowsLike, labels_of, rows_of
from pytest_wml.contract.samples import samples_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_wml.client.deployment import Deployment


def check_classes(
    deployment: Deployment, images: RowsLike, expected: ArrayLike, *, how: Scoring = DEFAULT_SCORING
) -> Result:
    """Every row gets its expected class.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        expected: [N] expected classes, numbers or text.
        how: scoring settings.

    Raises:
        BadContract: images or labels are invalid, or the answer contains no classes.
    """
    rows = rows_of(deployment, images)
    labels = labels_of(expected, len(rows))
    answers = score_rows(deployment, rows, how)
    predicted = answers.require_classes("classes")
    findings = tuple(wrong_rows(answers, labels, predicted))
    return Result(
        "classes",
        deployment.name,
        deployment.mode,
        promised=f"each of {len(rows)} rows gets its expected class",
        measured={"right": f"{len(rows) - len(findings)} of {len(rows)}", **_class_lists(labels, predicted)},
        findings=findings,
        images=rows.images(finding.row for finding in findings),
        samples=samples_of(rows, answers, labels),
    )


def wrong_rows(answers: Answers, expected: NDArray[Any], predicted: NDArray[Any]) -> Iterable[Finding]:
    """Yield a finding for each row whose class differs from the expected one."""
    for row in np.flatnonzero(expected != predicted).tolist():
        top = answers.top(row)
        likeliest = ", ".join(f"{label}: {share:.3f}" for label, share in top)
        message = f"row {row}: expected {expected[row]}, got {predicted[row]}" + (f" ({likeliest})" if top else "")
        yield Finding(message, row, {"expected": str(expected[row]), "predicted": str(predicted[row]), "top": top})


def _class_lists(expected: NDArray[Any], predicted: NDArray[Any]) -> dict[str, Any]:
    return {"expected_classes": expected.tolist(), "predicted_classes": predicted.tolist()}
