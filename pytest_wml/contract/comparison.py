"""Compares two answers to the same rows, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.findings import Finding
from pytest_wml.contract.rows import as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Tolerance:
    """Allowed difference of two floats: `atol + rtol * |other|`, as in `numpy.isclose`; other values must be equal."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"{self.atol:g} + {self.rtol:g} of the value"


def row_findings(
    served: Mapping[str, NDArray[Any]],
    other: Mapping[str, NDArray[Any]],
    allowed: Tolerance,
    *,
    other_name: str,
    served_name: str = "",
) -> list[Finding]:
    """Findings for outputs that only one side has, then for every differing row, largest difference first.

    Args:
        served: arrays [N, …] by output name.
        other: arrays to compare with, in the same form.
        allowed: tolerance for floats.
        other_name: phrase for the other side in messages, such as `in another order`.
        served_name: phrase for the served side; empty if none is needed.
    """
    findings = [
        Finding(f"output {name!r} is missing {served_name or 'from the answer' if name in other else other_name}")
        for name in sorted(set(served) ^ set(other))
    ]
    rows: list[Finding] = []
    for name in sorted(set(served) & set(other)):
        rows += _output_findings(
            name, served[name], other[name], allowed, other_name, served_name and f" {served_name}"
        )
    return findings + sorted(rows, key=lambda finding: -finding.facts["error"])


def largest_error(served: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> float:
    """The largest absolute difference of two floats; 0 if no floats are compared."""
    errors = [
        float(np.nanmax(_absolute_errors(served[name], other[name]), initial=0.0))
        for name in set(served) & set(other)
        if served[name].shape == other[name].shape and "f" in (served[name].dtype.kind, other[name].dtype.kind)
    ]
    return max(errors, default=0.0)


def _output_findings(
    name: str, served: NDArray[Any], other: NDArray[Any], allowed: Tolerance, other_name: str, served_name: str
) -> Iterator[Finding]:
    if served.shape != other.shape:
        shapes = f"{list(served.shape)}, {other_name} {list(other.shape)}"
        yield Finding(f"output {name!r} has shape {shapes}", facts={"output": name, "error": np.inf})
        return
    errors, differs = _compare(served, other, allowed)
    flat, wrong = errors.reshape(len(errors), -1), differs.reshape(len(differs), -1)
    for row in np.flatnonzero(wrong.any(axis=1)).tolist():
        worst = int(np.argmax(np.where(wrong[row], flat[row], -1.0)))
        index = np.unravel_index(worst, served.shape[1:]) if served.ndim > 1 else ()
        subscript = "".join(f"[{int(step)}]" for step in index)
        ours, theirs, error = served[row][index], other[row][index], float(flat[row, worst])
        difference = f" (differs by {error:.3g})" if np.isfinite(error) else ""
        message = (
            f"row {row}: {name}{subscript} is {_format(ours)}{served_name}, {other_name} {_format(theirs)}{difference}"
        )
        yield Finding(
            message, row, {"output": name, "error": error, "served": _plain_value(ours), "other": _plain_value(theirs)}
        )


def _compare(served: NDArray[Any], other: NDArray[Any], allowed: Tolerance) -> tuple[NDArray[Any], NDArray[Any]]:
    kinds = {served.dtype.kind, other.dtype.kind}
    if not kinds <= set("fiub"):
        ours, theirs = (as_text(array.reshape(-1)).reshape(array.shape) for array in (served, other))
        differs = ours != theirs
        return np.where(differs, np.inf, 0.0), differs
    if "f" in kinds:
        with np.errstate(invalid="ignore"):
            near = np.isclose(served, other, rtol=allowed.rtol, atol=allowed.atol, equal_nan=True)
        return np.where(near, 0.0, _absolute_errors(served, other)), ~near
    differs = served != other
    return np.where(differs, np.inf, 0.0), differs


def _absolute_errors(served: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Absolute differences; infinite where only one is a number."""
    ours, theirs = served.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore"):
        errors: NDArray[np.float64] = np.abs(ours - theirs)
    errors[np.isnan(errors)] = np.inf
    errors[(ours == theirs) | (np.isnan(ours) & np.isnan(theirs))] = 0.0
    return errors


def _format(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else repr(_plain_value(value))


def _plain_value(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
