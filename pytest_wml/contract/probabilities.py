"""Checks that probabilities are finite, from 0 to 1, and sum to 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring, float_dtypes, score_rows
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import RowsLike, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_probabilities(
    deployment: Deployment, images: RowsLike, *, tolerance: float = 1e-5, how: Scoring = DEFAULT_SCORING
) -> Result:
    """Every row's probabilities are finite, from 0 to 1, and sum to 1.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        tolerance: absolute tolerance of the sum.
        how: scoring settings.

    Raises:
        BadContract: the images are invalid, the tolerance is too small, or the answer contains no probabilities.
    """
    check_tolerance("tolerance", tolerance, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    answers = score_rows(deployment, rows, how)
    probabilities = answers.require_probabilities("probabilities")
    findings = tuple(improper(probabilities, tolerance, answers.columns))
    sums = probabilities.sum(axis=1)
    return Result(
        "probabilities",
        deployment.name,
        deployment.mode,
        promised=f"probabilities of {len(rows)} rows are finite, from 0 to 1, and sum to 1 within {tolerance:g}",
        measured={
            "classes": probabilities.shape[1],
            "farthest sum": float(sums[np.argmax(np.abs(np.nan_to_num(sums, nan=np.inf) - 1))]),
            "sums": sums.tolist(),
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def improper(
    probabilities: NDArray[Any], tolerance: float, classes: Sequence[int | str] | None = None
) -> Iterator[Finding]:
    """Yield a finding for each invalid probability or sum.

    Args:
        probabilities: [N, number of classes].
        tolerance: absolute tolerance of a row's sum.
        classes: class of each column; None for the column numbers.
    """
    named = range(probabilities.shape[1]) if classes is None else classes
    for row, shares in enumerate(np.asarray(probabilities, dtype=np.float64)):
        unbounded = np.flatnonzero(~np.isfinite(shares)).tolist()
        outside = [column for column in np.flatnonzero((shares < 0) | (shares > 1)).tolist() if column not in unbounded]
        total = float(shares.sum())
        if unbounded:
            names = _listed([named[column] for column in unbounded])
            yield Finding(f"row {row}: not a finite number for class {names}", row, {"columns": unbounded})
        if outside:
            worst = ", ".join(f"{named[column]}: {shares[column]:.6g}" for column in outside[:3])
            yield Finding(f"row {row}: outside 0 to 1 for class {worst}", row, {"columns": outside})
        if not unbounded and abs(total - 1) > tolerance:
            yield Finding(f"row {row}: the sum is {total:.7g}", row, {"sum": total})


def _listed(names: list[int | str]) -> str:
    return ", ".join(map(str, names[:5])) + (" …" if len(names) > 5 else "")
