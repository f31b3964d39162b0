"""Compares the classes of a deployment with a recorded reference."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Answers, Scoring, score_rows
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_share
from pytest_wml.contract.rows import Rows, RowsLike, rows_of
from pytest_wml.contract.samples import samples_of

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment

WriteReference = Callable[[Path, str, str], None]
"""Writes a reference: takes the path, the text, and a description of the changes."""

_FORMAT = 1
_RECORD = "record it: run this test once with --wml=embedded --wml-record (or --wml-live --wml-record)"


def check_drift(
    deployment: Deployment,
    images: RowsLike,
    reference: Path,
    *,
    record: WriteReference | None = None,
    at_most: float = 0.0,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """Rows keep the class that the reference recorded.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs; the images of the reference.
        reference: path of the reference.
        record: writes a new reference with the present classes; None compares with the existing reference.
        at_most: share of rows that may have another class.
        how: scoring settings.

    Raises:
        BadContract: the reference is missing, unreadable or of other images; the images are invalid, or the answer
            contains no classes.
    """
    check_share("at_most", at_most)
    rows = rows_of(deployment, images)
    reference_data = _read_reference(reference, rows) if record is None else None
    answers = score_rows(deployment, rows, how)
    now = answers.require_classes("drift")
    changes = ""
    if reference_data is None:
        reference_data = _new_reference(deployment, rows, now.tolist())
        changes = _describe_changes(reference, rows, answers)
    if record:
        record(reference, json.dumps(reference_data, indent=1, ensure_ascii=False) + "\n", changes)
    before = np.asarray(reference_data["classes"], dtype=np.str_)
    flips = tuple(_flips(before, answers))
    findings = flips if len(flips) > at_most * len(rows) else ()
    kinds = Counter(f"{flip.facts['expected']} → {flip.facts['predicted']}" for flip in flips)
    return Result(
        "drift",
        deployment.name,
        deployment.mode,
        promised=f"at most {at_most:g} of {len(rows)} rows have another class than on {reference_data['recorded_at']}",
        measured={
            "flips": f"{len(flips)} of {len(rows)}",
            "most frequent": ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(5)),
            "flips by class": dict(kinds),
            "reference": {name: reference_data[name] for name in ("recorded_at", "recorded_from", "model")},
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
        notes=(f"a new reference was recorded: {changes}",) if changes else (),
        samples=samples_of(rows, answers, before),
    )


def _describe_changes(reference: Path, rows: Rows, answers: Answers) -> str:
    """Describe the changes of a new reference against the existing one."""
    with contextlib.suppress(BadContract):
        old = _read_reference(reference, rows)
        flips = len(list(_flips(np.asarray(old["classes"], dtype=np.str_), answers)))
        return f"{flips} of {len(rows)} rows have another class than on {old['recorded_at']}"
    return "it is of other images than before" if reference.exists() else "there was none"


def _flips(before: Any, answers: Answers) -> Iterator[Finding]:
    now = answers.require_classes("drift")
    for row in np.flatnonzero(before != now).tolist():
        facts = {"expected": str(before[row]), "predicted": str(now[row]), "top": answers.top(row)}
        yield Finding(f"row {row}: was {before[row]}, is {now[row]}", row, facts)


def _new_reference(deployment: Deployment, rows: Rows, classes: list[str]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "deployment": deployment.name,
        "model": deployment.archive.model_digest,
        "recorded_from": deployment.mode,
        "recorded_at": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "rows": _digest(rows),
        "classes": classes,
    }


def _digest(rows: Rows) -> str:
    """SHA-256 digest of the rows' values, independent of their type and memory layout."""
    digest = hashlib.sha256()
    for name, array in sorted(rows.arrays.items()):
        digest.update(f"{name} {len(array)} ".encode())
        if array.dtype.kind in "US":
            digest.update(json.dumps(array.astype(np.str_).tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def _read_reference(path: Path, rows: Rows) -> Mapping[str, Any]:
    try:
        reference_data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadContract("There is no reference to compare with.", looked_for=path, fix=_RECORD) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadContract("The reference cannot be read.", file=path, reason=error, fix=_RECORD) from None
    texts = ("recorded_at", "recorded_from", "model", "rows")
    if not (
        isinstance(reference_data, dict)
        and reference_data.get("format") == _FORMAT
        and all(isinstance(reference_data.get(name), str) for name in texts)
        and isinstance(reference_data.get("classes"), list)
        and all(isinstance(name, str) for name in reference_data["classes"])
    ):
        raise BadContract("The file is not a reference that this release can read.", file=path, fix=_RECORD)
    if reference_data["rows"] != _digest(rows) or len(reference_data["classes"]) != len(rows):
        raise BadContract(
            "The reference was recorded with other images.",
            file=path,
            recorded_at=reference_data["recorded_at"],
            fix=f"give the images of the reference, or {_RECORD}",
        )
    return reference_data
