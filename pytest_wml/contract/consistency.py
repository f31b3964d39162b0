"""An answer depends on its own row only, and is the same every time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_wml.contract.comparing import Tolerance, largest_error, row_findings
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_count, check_tolerance
from pytest_wml.contract.rows import Given, rows_of
from pytest_wml.contract.scored import DEFAULT, Answers, Scoring, float_dtypes, scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_batch_consistency(
    deployment: Deployment,
    images: Given,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    singles: int = 16,
    seed: int = 0,
    how: Scoring = DEFAULT,
) -> Result:
    """A batch is answered as its rows are one by one, and as the same batch in another order.

    Args:
        deployment: that is asked.
        images: [N, …] with two rows or more, paths, or a mapping of inputs.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        singles: how many rows, spread over the batch, are also sent alone.
        seed: of the other order.
        how: it is scored.

    Raises:
        BadContract: the images, tolerances or numbers cannot be used.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows, allowed = rows_of(deployment, images), Tolerance(rtol, atol)
    check_count("singles", singles, 1)
    if len(rows) < 2:
        raise BadContract("One row is no batch.", fix="give two rows or more")
    _check_any_batch(deployment)
    batch = scored(deployment, rows, how)
    order = _permutation(len(rows), seed)
    permuted = _taken(scored(deployment, rows.take(order), how), np.argsort(order))
    alone = np.unique(np.linspace(0, len(rows) - 1, min(singles, len(rows))).round().astype(np.intp))
    findings: list[Finding] = []
    largest = 0.0
    for row in alone.tolist():
        single = scored(deployment, rows.take(slice(row, row + 1)), how).outputs
        together = {name: array[row : row + 1] for name, array in batch.outputs.items()}
        kept = {name: single[name] for name in together if name in single}
        findings += [_of_row(row, finding) for finding in row_findings(together, kept, allowed, called="alone")]
        largest = max(largest, largest_error(together, kept))
    findings.sort(key=lambda finding: -finding.facts.get("error", math.inf))
    findings += row_findings(batch.outputs, permuted, allowed, called="in another order")
    return Result(
        "batch_consistency",
        deployment.name,
        deployment.mode,
        promised=f"rows in a batch, alone and in another order get one answer within {allowed}",
        measured={
            "rows": len(rows),
            "sent alone": len(alone),
            "largest error alone": largest,
            "largest error in another order": largest_error(batch.outputs, permuted),
        },
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
    )


def _check_any_batch(deployment: Deployment) -> None:
    signature = deployment.archive.signature
    for spec in signature.inputs if signature else ():
        if spec.shape and spec.shape[0] is not None:
            raise BadContract(
                f"The model takes batches of exactly {spec.shape[0]} rows: none can be sent alone.",
                signature=signature,
                fix="export the model with a batch axis of any length (None)",
            )


def _permutation(length: int, seed: int) -> NDArray[np.intp]:
    """Another order, the same for everybody: a recording answers only what was asked when it was made."""
    # RandomState's numbers are frozen for all releases of numpy; those of the newer generators are not.
    order = np.random.RandomState(seed).permutation(length)
    return order if (order != np.arange(length)).any() else order[::-1]


def _taken(answers: Answers, order: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    return {name: array[order] for name, array in answers.outputs.items()}


def _of_row(row: int, finding: Finding) -> Finding:
    """A finding about the one row that was sent alone, with its number in the whole batch."""
    told = finding.message if finding.row is None else finding.message.partition(": ")[2]
    return Finding(f"row {row}: {told}", row, finding.facts)


def check_repeatability(
    deployment: Deployment,
    images: Given,
    *,
    n: int = 3,
    rtol: float = 1e-6,
    atol: float = 1e-6,
    how: Scoring = DEFAULT,
) -> Result:
    """The same request gets the same answer n times.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs.
        n: how often it is asked, 2 or more.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: it is scored.

    Raises:
        BadContract: the images, tolerances or n cannot be used.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    check_count("n", n, 2)
    rows, allowed = rows_of(deployment, images), Tolerance(rtol, atol)
    first = scored(deployment, rows, how).outputs
    findings: list[Finding] = []
    largest = 0.0
    for time in range(2, n + 1):
        again = scored(deployment, rows, how).outputs
        largest = max(largest, largest_error(first, again))
        findings += row_findings(again, first, allowed, called=f"at time {time}; at first")
    return Result(
        "repeatability",
        deployment.name,
        deployment.mode,
        promised=f"{n} times the same answer within {allowed}",
        measured={"rows": len(rows), "times": n, "largest error": largest},
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
        notes=("a recording repeats what it holds",) if deployment.mode == "replay" else (),
    )
