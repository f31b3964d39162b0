"""What a deployment answers now against what it answered when a reference was recorded."""

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

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_share
from pytest_wml.contract.rows import Given, Rows, rows_of
from pytest_wml.contract.samples import samples_of
from pytest_wml.contract.scored import DEFAULT, Answers, Scoring, scored

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment

Keep = Callable[[Path, str, str], None]
"""Takes a reference's file, its text, and what is new about it."""

_FORMAT = 1
_RECORD = "record it: run this test once with --wml=embedded --wml-record (or --wml-live --wml-record)"


def check_drift(
    deployment: Deployment,
    images: Given,
    reference: Path,
    *,
    record: Keep | None = None,
    at_most: float = 0.0,
    how: Scoring = DEFAULT,
) -> Result:
    """Rows keep the class that they had when the reference was recorded.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs: those of the reference.
        reference: the file.
        record: given what is answered now, to keep it as the reference; None compares with the one that is there.
        at_most: the share of rows that may have another class.
        how: it is scored.

    Raises:
        BadContract: there is no reference, it cannot be read, or it is of other images; the images cannot be
            used, or the answer holds no classes.
    """
    check_share("at_most", at_most)
    rows = rows_of(deployment, images)
    known = _reference(reference, rows) if record is None else None
    answers = scored(deployment, rows, how)
    now = answers.require_classes("drift")
    told = ""
    if known is None:
        known = _recorded(deployment, rows, now.tolist())
        told = _replaced(reference, rows, answers)
    if record:
        record(reference, json.dumps(known, indent=1, ensure_ascii=False) + "\n", told)
    before = np.asarray(known["classes"], dtype=np.str_)
    flips = tuple(_flips(before, answers))
    findings = flips if len(flips) > at_most * len(rows) else ()
    kinds = Counter(f"{flip.facts['expected']} → {flip.facts['predicted']}" for flip in flips)
    return Result(
        "drift",
        deployment.name,
        deployment.mode,
        promised=f"at most {at_most:g} of {len(rows)} rows have another class than on {known['recorded_at']}",
        measured={
            "flips": f"{len(flips)} of {len(rows)}",
            "most frequent": ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(5)),
            "flips by class": dict(kinds),
            "reference": {name: known[name] for name in ("recorded_at", "recorded_from", "model")},
        },
        findings=findings,
        images=rows.images(finding.row for finding in findings),
        notes=(f"the reference is recorded now: {told}",) if told else (),
        samples=samples_of(rows, answers, before),
    )


def _replaced(reference: Path, rows: Rows, answers: Answers) -> str:
    """What a new reference changes."""
    with contextlib.suppress(BadContract):
        old = _reference(reference, rows)
        flips = len(list(_flips(np.asarray(old["classes"], dtype=np.str_), answers)))
        return f"{flips} of {len(rows)} rows have another class than on {old['recorded_at']}"
    return "of other images than before" if reference.exists() else "there was none"


def _flips(before: Any, answers: Answers) -> Iterator[Finding]:
    now = answers.require_classes("drift")
    for row in np.flatnonzero(before != now).tolist():
        facts = {"expected": str(before[row]), "predicted": str(now[row]), "top": answers.top(row)}
        yield Finding(f"row {row}: was {before[row]}, is {now[row]}", row, facts)


def _recorded(deployment: Deployment, rows: Rows, classes: list[str]) -> dict[str, Any]:
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
    """Of the rows' values, whatever type and layout they have."""
    digest = hashlib.sha256()
    for name, array in sorted(rows.arrays.items()):
        digest.update(f"{name} {len(array)} ".encode())
        if array.dtype.kind in "US":
            digest.update(json.dumps(array.astype(np.str_).tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def _reference(path: Path, rows: Rows) -> Mapping[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadContract("There is no reference to compare with.", looked_for=path, fix=_RECORD) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadContract("The reference cannot be read.", file=path, reason=error, fix=_RECORD) from None
    texts = ("recorded_at", "recorded_from", "model", "rows")
    if not (
        isinstance(known, dict)
        and known.get("format") == _FORMAT
        and all(isinstance(known.get(name), str) for name in texts)
        and isinstance(known.get("classes"), list)
        and all(isinstance(name, str) for name in known["classes"])
    ):
        raise BadContract("The file is no reference of this release.", file=path, fix=_RECORD)
    if known["rows"] != _digest(rows) or len(known["classes"]) != len(rows):
        raise BadContract(
            "The reference was recorded with other images.",
            file=path,
            recorded_at=known["recorded_at"],
            fix=f"give the images of the reference, or {_RECORD}",
        )
    return known
