"""Compares the answers of a deployment with the local model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring, float_dtypes, score_rows
from pytest_wml.contract.comparison import Tolerance, largest_error, row_findings
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import Rows, RowsLike, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


def check_parity(
    deployment: Deployment, images: RowsLike, *, rtol: float = 1e-5, atol: float = 1e-5, how: Scoring = DEFAULT_SCORING
) -> Result:
    """The answer equals that of the local SavedModel, computed by TensorFlow in this process.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: scoring settings.

    Raises:
        BadContract: the images or tolerances are invalid, or the mode is replay, which does not load the model.
        MissingExtra: TensorFlow is not installed.
        BadArchive: the archive contains no SavedModel.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    if deployment.mode == "replay":
        raise BadContract(
            "parity needs the model itself, which a replay does not load.",
            fix="run the test with --wml=embedded or --wml-live",
        )
    if not deployment.archive.path.exists():
        raise BadContract(
            "parity needs the model itself, which is not available here.",
            deployment=deployment.name,
            reason=deployment.archive.note,
            fix="name the model's archive with wml_model",
        )
    served, local, allowed = (
        score_rows(deployment, rows, how).outputs,
        _local_outputs(deployment, rows, how),
        Tolerance(rtol, atol),
    )
    findings = tuple(row_findings(served, local, allowed, other_name="in the local model"))
    return Result(
        "parity",
        deployment.name,
        deployment.mode,
        promised=f"the answer equals that of the local model within {allowed}",
        measured={
            "rows": len(rows),
            "rows that differ": len({finding.row for finding in findings if finding.row is not None}),
            "largest error": largest_error(served, local),
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def _local_outputs(deployment: Deployment, rows: Rows, how: Scoring) -> dict[str, NDArray[Any]]:
    from pytest_wml.client.scoring import payload
    from pytest_wml.model.local import LocalModel

    parts = []
    with LocalModel(deployment.archive.path) as model:
        for start in range(0, len(rows), how.batch_size):
            part = rows.take(slice(start, start + how.batch_size)).model_input
            sent, _ = payload(part, deployment.archive.signature)
            elements = sent["input_data"]
            named = {element["id"]: element["values"] for element in elements if "id" in element}
            parts.append(model.predict(named or elements[0]["values"]))
    return {name: np.concatenate([np.atleast_1d(part[name]) for part in parts]) for name in parts[0]}
