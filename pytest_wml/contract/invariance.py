"""Checks the effect of transforms: invariance of the class, direction of a probability."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Answers, Scoring, score_rows
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.images import is_image
from pytest_wml.contract.limits import check_share
from pytest_wml.contract.rows import Rows, RowsLike, rows_of
from pytest_wml.contract.transforms import image_transforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment


Transform = Callable[[Any], Any]
"""Takes a copy of the images [N, …] (or of the mapping of inputs) and returns changed images of the same shape."""


def check_invariance(
    deployment: Deployment,
    images: RowsLike,
    transforms: Mapping[str, Transform] | None = None,
    *,
    at_least: float = 1.0,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """Each row keeps its class under each transform.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        transforms: functions by name, from images [N, …] to images of the same shape; for images
            `image_transforms()` by default.
        at_least: share of rows that must keep their class under each transform.
        how: scoring settings.

    Raises:
        BadContract: the images are invalid, no transforms are given and the rows are not images, a transform
            changes the shape, or the answer contains no classes.
    """
    check_share("at_least", at_least)
    rows = rows_of(deployment, images)
    chosen = _default_transforms(rows) if transforms is None else transforms
    if not isinstance(chosen, Mapping):
        raise BadContract("The transforms are not a mapping.", fix="give {'name': function}")
    if not chosen:
        raise BadContract("There is nothing to check: no transform was given.")
    before = score_rows(deployment, rows, how).require_classes("invariance")
    findings: list[Finding] = []
    shares: dict[str, float] = {}
    for name, transform in chosen.items():
        changed = _transform_rows(deployment, rows, name, transform)
        after = score_rows(deployment, changed, how)
        flips = tuple(_flips(name, before, after))
        shares[name] = 1 - len(flips) / len(rows)
        if shares[name] < at_least:
            findings += flips
    return Result(
        "invariance",
        deployment.name,
        deployment.mode,
        promised=f"a share of {at_least:g} of {len(rows)} rows keeps their class under each of: {', '.join(chosen)}",
        measured={"least share": min(shares.values()), "shares": shares},
        findings=tuple(findings),
        images=rows.images(finding.row for finding in findings),
    )


def _default_transforms(rows: Rows) -> Mapping[str, Transform]:
    array = rows.arrays.get("")
    if array is not None and array.dtype.kind in "fiu" and is_image(array.shape[1:]):
        return image_transforms()
    raise BadContract(
        "The built-in transforms are for images, but the shape of these rows does not identify them as images.",
        given="; ".join(f"{name} {one.dtype} {list(one.shape)}".strip() for name, one in rows.arrays.items()),
        fix="give transforms that must not change the class of a row, such as\n"
        f"wml_contract.invariance(rows, {{'another': {_example(rows)}}})\n"
        "if the rows are images, give image_transforms(shape=(height, width)), in a contract file\n"
        "invariance: {image: [height, width]}",
    )


def _example(rows: Rows) -> str:
    """An example transform for these rows, as Python source."""
    changes = {"f": "{} * 1.01", "i": "{} + 1", "u": "{} + 1", "b": "~{}", "U": "np.char.upper({})"}
    name, array = next(iter(rows.arrays.items()))
    change = changes[array.dtype.kind]
    if not name:
        return f"lambda rows: {change.format('rows')}"
    return f"lambda inputs: {{**inputs, {name!r}: {change.format(f'inputs[{name!r}]')}}}"


def _flips(transform: str, before: NDArray[Any], answers: Answers) -> Iterator[Finding]:
    after = answers.require_classes("invariance")
    for row in np.flatnonzero(before != after).tolist():
        facts = {
            "transform": transform,
            "expected": str(before[row]),
            "predicted": str(after[row]),
            "top": answers.top(row),
        }
        yield Finding(f"row {row}: {transform} changes the class from {before[row]} to {after[row]}", row, facts)


def check_directional(
    deployment: Deployment,
    images: RowsLike,
    transform: Transform,
    *,
    label: int,
    change: Literal["raises", "lowers"],
    by: float = 0.0,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """A transform raises or lowers the probability of a class in every row.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs.
        transform: function from images [N, …] to images of the same shape.
        label: the class, as the column number of its probability.
        change: `raises` or `lowers`.
        by: lower limit of the change, exclusive.
        how: scoring settings.

    Raises:
        BadContract: the images are invalid, the transform changes the shape, the class does not exist, or the
            answer holds no probabilities.
    """
    if change not in ("raises", "lowers"):
        raise BadContract(f"change must be 'raises' or 'lowers', not {change!r}.")
    check_share("by", by)
    rows = rows_of(deployment, images)
    before = score_rows(deployment, rows, how).require_probabilities("directional")
    number = _column(label, before.shape[1])
    changed = _transform_rows(deployment, rows, getattr(transform, "__name__", "transform"), transform)
    after = score_rows(deployment, changed, how).require_probabilities("directional")
    moved = (after[:, number] - before[:, number]) * (1 if change == "raises" else -1)
    findings = tuple(
        Finding(
            f"row {row}: class {label} {before[row, number]:.4f} → {after[row, number]:.4f}",
            row,
            {"before": float(before[row, number]), "after": float(after[row, number])},
        )
        for row in np.flatnonzero(~(moved > by)).tolist()
    )
    return Result(
        "directional",
        deployment.name,
        deployment.mode,
        promised=f"the transform {change} the probability of class {label}" + (f" by more than {by:g}" if by else ""),
        measured={"rows": len(rows), "least change": float(moved.min()), "changes": moved.tolist()},
        findings=findings,
        images=changed.images(finding.row for finding in findings),
    )


def _column(label: int, classes: int) -> int:
    if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < classes:
        raise BadContract(f"The class {label!r} does not exist: the answer has the classes 0 to {classes - 1}.")
    return int(label)


def _transform_rows(deployment: Deployment, rows: Rows, name: str, transform: Transform) -> Rows:
    """Apply a transform to rows.

    Raises:
        BadContract: the transform is not a function, changes the shape, or returns values that are not finite.
    """
    if not callable(transform):
        raise BadContract(f"Transform {name} is not a function.", given=repr(transform)[:80])
    copies = {key: array.copy() for key, array in rows.arrays.items()}
    result = transform(copies.get("", copies))
    given = {"": result} if "" in copies else result
    if not isinstance(given, Mapping) or set(given) != set(copies):
        raise BadContract(f"Transform {name} does not return every input.", fix=f"return {', '.join(copies)}")
    changed = {key: np.asarray(array) for key, array in given.items()}
    for key, array in changed.items():
        if array.shape != rows.arrays[key].shape:
            raise BadContract(
                f"Transform {name} changes the shape of its input.",
                before=list(rows.arrays[key].shape),
                after=list(array.shape),
                fix="return the same number of rows in the same shape",
            )
    return rows_of(deployment, changed.get("", changed))
