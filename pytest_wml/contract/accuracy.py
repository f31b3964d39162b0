"""Checks accuracy on labelled rows, with a confidence interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring, score_rows
from pytest_wml.contract.classes import wrong_rows
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_share
from pytest_wml.contract.rows import RowsLike, labels_of, rows_of
from pytest_wml.contract.samples import samples_of
from pytest_wml.contract.statistics import confusion, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pytest_wml.client.deployment import Deployment


def check_accuracy(
    deployment: Deployment, images: RowsLike, labels: ArrayLike, *, floor: float, how: Scoring = DEFAULT_SCORING
) -> Result:
    """The share of correctly classified rows is at least the floor.

    If the floor lies within the 95 % confidence interval, a note warns that there are too few rows.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        labels: [N] expected classes, numbers or text.
        floor: required share, from 0 to 1.
        how: scoring settings.

    Raises:
        BadContract: images, labels or floor are invalid, or the answer contains no classes.
    """
    check_share("floor", floor)
    rows = rows_of(deployment, images)
    expected = labels_of(labels, len(rows))
    answers = score_rows(deployment, rows, how)
    predicted = answers.require_classes("accuracy")
    right = int((expected == predicted).sum())
    share, (low, high) = right / len(rows), wilson(right, len(rows))
    findings: list[Finding] = []
    if share < floor:
        message = f"accuracy {share:.4f} is below {floor:g}; 95 % interval {low:.4f} to {high:.4f}"
        findings = [Finding(message, facts={"accuracy": share}), *wrong_rows(answers, expected, predicted)]
    names, matrix = confusion(expected.tolist(), predicted.tolist())
    too_few = f"the floor {floor:g} lies within the interval: {len(rows)} rows are too few to be sure"
    return Result(
        "accuracy",
        deployment.name,
        deployment.mode,
        promised=f"a share of at least {floor:g} of {len(rows)} rows gets its label",
        measured={
            "accuracy": share,
            "right": f"{right} of {len(rows)}",
            "95 % interval": f"{low:.4f} to {high:.4f}",
            "interval": [low, high],
            "labels": names,
            "confusion": matrix,
        },
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
        notes=(too_few,) if low < floor < high else (),
        samples=samples_of(rows, answers, expected),
    )
