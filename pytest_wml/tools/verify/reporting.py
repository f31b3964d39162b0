"""Formats the result of a verification as text lines and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pytest_wml.replay.cassette.show import facts
from pytest_wml.tools.verify.differences import Difference
from pytest_wml.tools.verify.outcome import Verification
from pytest_wml.tools.verify.rules import DifferenceKind, DifferenceLevel

_WIDTH = 120
_SHOWN = 20
"""Largest number of listed differences of one request; the JSON output contains all."""


def lines(result: Verification, *, verbose: bool) -> Iterator[str]:
    """Yield the lines for one recording.

    Args:
        result: the verification of the recording.
        verbose: whether differences of level info are listed too.
    """
    known = facts(result.cassette)
    compared, left = len(result.compared), len(result.outcomes) - len(result.compared)
    yield f"{known['name']}, recorded from {known['recorded_from']} at {known['recorded_at']}: {compared} compared" + (
        f", {left} left out" if left else ""
    )
    yield from (f"  {note}" for note in result.notes)
    yield from _table(result)
    for outcome in result.outcomes:
        if outcome.left_out:
            yield f"  left out  {outcome.number}: {outcome.request}: {outcome.left_out}"
        listed = [each for each in outcome.differences if verbose or each.level > DifferenceLevel.INFO]
        listed.sort(key=lambda each: -each.level)
        if listed:
            yield f"  {outcome.number}: {outcome.request}"
        yield from (f"    {each.level!s:<5}  {difference_line(each)}" for each in listed[:_SHOWN])
        if len(listed) > _SHOWN:
            yield f"           … and {len(listed) - _SHOWN} more in this answer"
    yield from (f"  LEFT BEHIND  {what}: delete it by hand" for what in result.left_behind)


def _table(result: Verification) -> Iterator[str]:
    counted = by_route(result)
    width = max((len(route) for route in counted), default=0)
    yield f"  {'':{width}}  answers  error  warn  info"
    for route, count in counted.items():
        numbers = f"{count['answers']:>7}  {count['error']:>5}  {count['warn']:>4}  {count['info']:>4}"
        yield f"  {route:{width}}  {numbers}"


def by_route(result: Verification) -> dict[str, Counter[str]]:
    """Numbers of compared answers and of differences by route, in the order of the first request."""
    counted: dict[str, Counter[str]] = {}
    for outcome in result.compared:
        count = counted.setdefault(outcome.route, Counter())
        count["answers"] += 1
        count.update(str(each.level) for each in outcome.differences)
    return counted


def difference_line(difference: Difference) -> str:
    """Format a difference in one line."""
    recorded, now = _short(difference.recorded), _short(difference.now)
    match difference.kind:
        case DifferenceKind.GONE:
            return f"{difference.path}: recorded {recorded}, now missing"
        case DifferenceKind.ADDED:
            return f"{difference.path}: not recorded, now {now}"
        case DifferenceKind.LENGTH:
            return f"{difference.path}: recorded {recorded} elements, now {now}"
    return f"{difference.path}: recorded {recorded}, now {now}" + (
        ", in another order" if difference.kind is DifferenceKind.ORDER else ""
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def closing(results: list[Verification]) -> str:
    """The summary line."""
    counts = ", ".join(f"{sum(each.count(level) for each in results)} {level}" for level in reversed(DifferenceLevel))
    compared = sum(len(each.compared) for each in results)
    return f"{compared} answers compared: {counts}"


def as_json(result: Verification) -> dict[str, Any]:
    """Return the result for one recording as JSON."""
    known = facts(result.cassette)
    return {
        **{name: known[name] for name in ("name", "recorded_at", "recorded_from", "model")},
        "compared": len(result.compared),
        "routes": [
            {"route": route, **{name: count[name] for name in ("answers", "error", "warn", "info")}}
            for route, count in by_route(result).items()
        ],
        "left_out": [
            {"number": outcome.number, "request": outcome.request, "reason": outcome.left_out}
            for outcome in result.outcomes
            if outcome.left_out
        ],
        "differences": [
            {
                "level": str(each.level),
                "number": outcome.number,
                "request": outcome.request,
                "route": outcome.route,
                "path": each.path,
                "kind": each.kind.value,
                "recorded": each.recorded,
                "now": each.now,
            }
            for outcome in result.outcomes
            for each in outcome.differences
        ],
        "notes": result.notes,
        "left_behind": result.left_behind,
    }
