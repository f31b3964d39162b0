"""The service answers what the model computes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.comparing import Tolerance, largest_error, row_findings
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import Given, Rows, rows_of
from pytest_wml.contract.scored import DEFAULT, Scoring, float_dtypes, scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_parity(
    deployment: Deployment, images: Given, *, rtol: float = 1e-5, atol: float = 1e-5, how: Scoring = DEFAULT
) -> Result:
    """The served answer is that of the local SavedModel, computed by TensorFlow in this process.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: it is scored.

    Raises:
        BadContract: the images or tolerances cannot be used, or this is a replay, which has no model to ask.
        MissingExtra: TensorFlow is not installed.
        BadArchive: the archive holds no SavedModel.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    if deployment.mode == "replay":
        raise BadContract(
            "parity compares with the model itself, which a replay does not load.",
            fix="run it with --wml=embedded or --wml-live",
        )
    if not deployment.archive.path.exists():
        raise BadContract(
            "parity compares with the model itself, and it is not here.",
            deployment=deployment.name,
            reason=deployment.archive.note,
            fix="name the model's archive with wml_model",
        )
    served, local, allowed = scored(deployment, rows, how).outputs, _local(deployment, rows, how), Tolerance(rtol, atol)
    findings = tuple(row_findings(served, local, allowed, called="the local model's"))
    return Result(
        "parity",
        deployment.name,
        deployment.mode,
        promised=f"the answer is the local model's within {allowed}",
        measured={
            "rows": len(rows),
            "rows that differ": len({finding.row for finding in findings if finding.row is not None}),
            "largest error": largest_error(served, local),
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def _local(deployment: Deployment, rows: Rows, how: Scoring) -> dict[str, NDArray[Any]]:
    from pytest_wml.client.scoring import payload
    from pytest_wml.model.local import LocalModel

    parts = []
    with LocalModel(deployment.archive.path) as model:
        for start in range(0, len(rows), how.batch_size):
            part = rows.take(slice(start, start + how.batch_size)).given
            sent, _ = payload(part, deployment.archive.signature)
            elements = sent["input_data"]
            named = {element["id"]: element["values"] for element in elements if "id" in element}
            parts.append(model.predict(named or elements[0]["values"]))
    return {name: np.concatenate([np.atleast_1d(part[name]) for part in parts]) for name in parts[0]}
