"""Probabilities are probabilities: finite, from 0 to 1, summing to 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import Given, rows_of
from pytest_wml.contract.scored import DEFAULT, Scoring, float_dtypes, scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_probabilities(
    deployment: Deployment, images: Given, *, tolerance: float = 1e-5, how: Scoring = DEFAULT
) -> Result:
    """Every row's probabilities are finite, from 0 to 1, and sum to 1.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs.
        tolerance: absolute, of the sum.
        how: it is scored.

    Raises:
        BadContract: the images cannot be used, the tolerance is too small, or the answer holds no probabilities.
    """
    check_tolerance("tolerance", tolerance, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    answers = scored(deployment, rows, how)
    found = answers.require_probabilities("probabilities")
    findings = tuple(improper(found, tolerance, answers.columns))
    sums = found.sum(axis=1)
    return Result(
        "probabilities",
        deployment.name,
        deployment.mode,
        promised=f"probabilities of {len(rows)} rows are finite, from 0 to 1, and sum to 1 within {tolerance:g}",
        measured={
            "classes": found.shape[1],
            "farthest sum": float(sums[np.argmax(np.abs(np.nan_to_num(sums, nan=np.inf) - 1))]),
            "sums": sums.tolist(),
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def improper(
    probabilities: NDArray[Any], tolerance: float, classes: Sequence[int | str] | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with probabilities.

    Args:
        probabilities: [N, number of classes].
        tolerance: absolute, of a row's sum.
        classes: of the columns; None for their numbers.
    """
    named = range(probabilities.shape[1]) if classes is None else classes
    for row, shares in enumerate(np.asarray(probabilities, dtype=np.float64)):
        unbounded = np.flatnonzero(~np.isfinite(shares)).tolist()
        outside = [place for place in np.flatnonzero((shares < 0) | (shares > 1)).tolist() if place not in unbounded]
        total = float(shares.sum())
        if unbounded:
            names = _listed([named[place] for place in unbounded])
            yield Finding(f"row {row}: no number for class {names}", row, {"columns": unbounded})
        if outside:
            worst = ", ".join(f"{named[place]}: {shares[place]:.6g}" for place in outside[:3])
            yield Finding(f"row {row}: outside 0 to 1 for class {worst}", row, {"columns": outside})
        if not unbounded and abs(total - 1) > tolerance:
            yield Finding(f"row {row}: the sum is {total:.7g}", row, {"sum": total})


def _listed(names: list[int | str]) -> str:
    return ", ".join(map(str, names[:5])) + (" …" if len(names) > 5 else "")
