"""Checks that a row's answer does not depend on its batch and does not change between requests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Answers, Scoring, float_dtypes, score_rows
from pytest_wml.contract.comparison import Tolerance, largest_error, row_findings
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_count, check_tolerance
from pytest_wml.contract.rows import RowsLike, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_batch_consistency(
    deployment: Deployment,
    images: RowsLike,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    singles: int = 16,
    seed: int = 0,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """Each row gets the same answer in a batch, alone, and in the batch in another order.

    Args:
        deployment: the deployment to check.
        images: [N, …] with at least two rows, paths, or a mapping of inputs.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        singles: number of rows that are also sent alone, spread over the batch.
        seed: random seed of the other order.
        how: scoring settings.

    Raises:
        BadContract: the images, tolerances or numbers are invalid.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows, allowed = rows_of(deployment, images), Tolerance(rtol, atol)
    check_count("singles", singles, 1)
    if len(rows) < 2:
        raise BadContract("A batch needs at least two rows.", fix="give two rows or more")
    _require_variable_batch(deployment)
    batch = score_rows(deployment, rows, how)
    order = _permutation(len(rows), seed)
    permuted = _reordered(score_rows(deployment, rows.take(order), how), np.argsort(order))
    alone = np.unique(np.linspace(0, len(rows) - 1, min(singles, len(rows))).round().astype(np.intp))
    findings: list[Finding] = []
    largest = 0.0
    for row in alone.tolist():
        single = score_rows(deployment, rows.take(slice(row, row + 1)), how).outputs
        together = {name: array[row : row + 1] for name, array in batch.outputs.items()}
        kept = {name: single[name] for name in together if name in single}
        findings += [_renumbered(row, finding) for finding in row_findings(together, kept, allowed, other_name="alone")]
        largest = max(largest, largest_error(together, kept))
    findings.sort(key=lambda finding: -finding.facts.get("error", math.inf))
    findings += row_findings(batch.outputs, permuted, allowed, other_name="in another order")
    return Result(
        "batch_consistency",
        deployment.name,
        deployment.mode,
        promised=f"rows get the same answer in a batch, alone and in another order, within {allowed}",
        measured={
            "rows": len(rows),
            "sent alone": len(alone),
            "largest error alone": largest,
            "largest error in another order": largest_error(batch.outputs, permuted),
        },
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
    )


def _require_variable_batch(deployment: Deployment) -> None:
    signature = deployment.archive.signature
    for spec in signature.inputs if signature else ():
        if spec.shape and spec.shape[0] is not None:
            raise BadContract(
                f"The model takes batches of exactly {spec.shape[0]} rows: none can be sent alone.",
                signature=signature,
                fix="export the model with a batch axis of any length (None)",
            )


def _permutation(length: int, seed: int) -> NDArray[np.intp]:
    """Another order of the rows, equal on all machines: a replay answers only requests that were recorded."""
    # RandomState gives the same numbers in all releases of numpy; the newer generators do not.
    order = np.random.RandomState(seed).permutation(length)
    return order if (order != np.arange(length)).any() else order[::-1]


def _reordered(answers: Answers, order: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    return {name: array[order] for name, array in answers.outputs.items()}


def _renumbered(row: int, finding: Finding) -> Finding:
    """A finding for a row that was sent alone, with the row's number in the whole batch."""
    description = finding.message if finding.row is None else finding.message.partition(": ")[2]
    return Finding(f"row {row}: {description}", row, finding.facts)


def check_repeatability(
    deployment: Deployment,
    images: RowsLike,
    *,
    n: int = 3,
    rtol: float = 1e-6,
    atol: float = 1e-6,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """The same request gets the same answer every time.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        n: number of requests, at least 2.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: scoring settings.

    Raises:
        BadContract: the images, the tolerances or n are invalid.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    check_count("n", n, 2)
    rows, allowed = rows_of(deployment, images), Tolerance(rtol, atol)
    first = score_rows(deployment, rows, how).outputs
    findings: list[Finding] = []
    largest = 0.0
    for number in range(2, n + 1):
        again = score_rows(deployment, rows, how).outputs
        largest = max(largest, largest_error(first, again))
        findings += row_findings(again, first, allowed, other_name="in answer 1", served_name=f"in answer {number}")
    return Result(
        "repeatability",
        deployment.name,
        deployment.mode,
        promised=f"{n} requests get the same answer within {allowed}",
        measured={"rows": len(rows), "times": n, "largest error": largest},
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
        notes=("a replay returns the recorded answers",) if deployment.mode == "replay" else (),
    )
