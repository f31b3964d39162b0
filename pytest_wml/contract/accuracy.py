"""How often the deployment is right, and how sure a set of this size can make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wml.contract.classes import wrong_rows
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_share
from pytest_wml.contract.rows import Given, labels_of, rows_of
from pytest_wml.contract.samples import samples_of
from pytest_wml.contract.scored import DEFAULT, Scoring, scored
from pytest_wml.contract.statistics import confusion, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pytest_wml.client.deployment import Deployment


def check_accuracy(
    deployment: Deployment, images: Given, labels: ArrayLike, *, floor: float, how: Scoring = DEFAULT
) -> Result:
    """The share of rows that get their label is at least the floor.

    A note says when the floor lies within the 95 % confidence interval: then a larger set might say otherwise.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs.
        labels: [N] classes, numbers or text.
        floor: share from 0 to 1.
        how: it is scored.

    Raises:
        BadContract: images, labels or floor cannot be used, or the answer holds no classes.
    """
    check_share("floor", floor)
    rows = rows_of(deployment, images)
    expected = labels_of(labels, len(rows))
    answers = scored(deployment, rows, how)
    predicted = answers.require_classes("accuracy")
    right = int((expected == predicted).sum())
    share, (low, high) = right / len(rows), wilson(right, len(rows))
    findings: list[Finding] = []
    if share < floor:
        message = f"accuracy {share:.4f} is below {floor:g}; 95 % interval {low:.4f} to {high:.4f}"
        findings = [Finding(message, facts={"accuracy": share}), *wrong_rows(answers, expected, predicted)]
    names, matrix = confusion(expected.tolist(), predicted.tolist())
    unsure = f"the floor {floor:g} lies within the interval: {len(rows)} rows are too few to be sure"
    return Result(
        "accuracy",
        deployment.name,
        deployment.mode,
        promised=f"a share of {floor:g} of {len(rows)} rows gets its label",
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
        notes=(unsure,) if low < floor < high else (),
        samples=samples_of(rows, answers, expected),
    )
