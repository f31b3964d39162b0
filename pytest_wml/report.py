"""What a run says on the terminal; pure functions from the run to lines."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.session import Run
    from pytest_wml.tally import Tally

_NAMED = 3


def header(run: Run) -> Iterator[str]:
    """The lines above the tests: the mode and what chose it, and whatever else is not left at its default."""
    setting = run.settings.mode
    recording = ", recording" if run.settings.record.value else ""
    yield f"wml: {setting.value.value}{recording} (from {setting.source})"
    others = {name: value for name, value in run.settings.chosen().items() if name not in ("mode", "record")}
    if others:
        yield "wml: " + ", ".join(f"{name} = {value}" for name, value in others.items())


def age(date: str) -> str:
    """How long ago a date was."""
    try:
        days = (datetime.datetime.now(datetime.UTC).date() - datetime.date.fromisoformat(date)).days
    except ValueError:
        return "unknown age"
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def faults(tally: Tally) -> Iterator[str]:
    """A line a fault that was injected, with who had asked, and a line for one that nothing met."""
    met: dict[str, Counter[str]] = {}
    for (fault, asker), times in sorted(tally.faults.items()):
        met.setdefault(fault, Counter())[asker] += times
    for fault, askers in met.items():
        more = f" and {len(askers) - _NAMED} more" if len(askers) > _NAMED else ""
        yield f"faults: {fault} ×{askers.total()} ({', '.join(list(askers)[:_NAMED])}{more})"
    for unmet in tally.unmet:
        yield f"faults: never met by a request: {unmet}"


def summary(run: Run) -> Iterator[str]:
    """The lines below the tests; nothing for a run that asked WML nothing."""
    if not run.idle:
        yield from _tallied(run, run.tally())
    for outcome in run.outcomes:
        yield f"{outcome.path.name}: {outcome.text}"


def _tallied(run: Run, tally: Tally) -> Iterator[str]:
    total = sum(tally.answered.values())
    if total:
        waits = f", {tally.waited:g} s of waiting left out" if tally.waited else ""
        yield f"{run.mode.value}: {total} requests answered, live calls: {tally.answered['live']}{waits}"
    for name, cassette in sorted(tally.cassettes.items()):
        answers = tally.answered[name]
        if answers:
            yield (
                f"{name}.yaml: {answers} answers, recorded {cassette.recorded_at} ({age(cassette.recorded_at)}) "
                f"from {cassette.recorded_from}, "
                f"model {cassette.model[:16] or 'unknown'}"
            )
    for name, model in sorted(tally.found.items()):
        yield f"{name}: a deployment that existed already, {model}"
    for name, found in sorted(tally.linted.items()):
        yield from (f"{name}: lint: {line}" for line in found)
    yield from faults(tally)
    for doubt in tally.doubts:
        yield f"doubt: {doubt}"
