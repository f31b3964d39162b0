"""The lines about a run on the terminal, made by pure functions."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wml.errors import WMLTestError
from pytest_wml.runner.configuration import Configuration, names_file

if TYPE_CHECKING:
    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.runner.run import Run

_NAMED = 3


def age(date: str) -> str:
    """The age of a date in words."""
    try:
        days = (datetime.datetime.now(datetime.UTC).date() - datetime.date.fromisoformat(date)).days
    except ValueError:
        return "unknown age"
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def models(configuration: Configuration) -> Iterator[str]:
    """A line for each model whose type or software specification is inferred."""
    for plan in configuration.plans.values():
        if names_file(plan) and not (plan.model_type and plan.software_spec):
            yield f"model type: {plan.model} ({_inferred(configuration.path(plan), plan)})"


def _inferred(path: Path, plan: Plan) -> str:
    from pytest_wml.model.storing import completed

    try:
        model_type, spec = completed(path, plan.model_type, plan.software_spec)
    except WMLTestError as error:  # raised again by the fixture that needs the model
        return error.problem
    if plan.model_type:
        return f"{model_type} with {spec}, inferred from the type"
    what = "folder" if path.is_dir() else "file"
    if plan.software_spec:
        return f"{model_type}, inferred from the {what}, with {spec}"
    return f"{model_type} with {spec}, inferred from the {what}"


def faults(tally: Tally) -> Iterator[str]:
    """A line for each injected fault, with the requesters, and a line for each fault that no request matched."""
    injected: dict[str, Counter[str]] = {}
    for (fault, requester), times in sorted(tally.faults.items()):
        injected.setdefault(fault, Counter())[requester] += times
    for fault, requesters in injected.items():
        more = f" and {len(requesters) - _NAMED} more" if len(requesters) > _NAMED else ""
        yield f"faults: {fault} ×{requesters.total()} ({', '.join(list(requesters)[:_NAMED])}{more})"
    for unmet in tally.unmet:
        yield f"faults: never met by a request: {unmet}"


_WORDS = {
    "deploy": ("deployment", "deployments"),
    "score": ("scoring", "scorings"),
    "store": ("thing stored", "things stored"),
    "upload": ("upload", "uploads"),
    "delete": ("deletion", "deletions"),
    "change": ("change", "changes"),
    "look": ("look", "looks"),
    "token": ("token", "tokens"),
}
"""Purpose of a request → singular and plural; purposes that cost money come first."""


def _amounts(counts: Counter[str], purposes: Iterable[str]) -> str:
    parts = []
    for purpose in purposes:
        if number := counts[purpose]:
            size = f" ({counts['bytes'] / 1e6:,.1f} MB)" if purpose == "upload" else ""
            parts.append(f"{number} {_WORDS[purpose][number != 1]}{size}")
    return ", ".join(parts)


def _spent(tally: Tally) -> Iterator[str]:
    """The requests to the live service, or those that a recording answered in its place."""
    if tally.sent:
        yield f"spent: {_amounts(tally.sent, _WORDS)}; {tally.seconds:.1f} s of the service's time"
    elif any(tally.cassettes) and (saved := _amounts(tally.requests, ("deploy", "score", "upload"))):
        yield f"not asked of the service, because it was recorded: {saved}"
    for what, times in sorted(tally.repeated.items()):
        yield f"sent again: {what} ×{times}"


def _played(tally: Tally) -> Iterator[str]:
    for name, cassette in sorted(tally.cassettes.items()):
        answers = tally.answered[name]
        if answers:
            yield (
                f"{name}.yaml: {answers} answers, recorded {cassette.recorded_at} ({age(cassette.recorded_at)}) "
                f"from {cassette.recorded_from}, "
                f"model {cassette.model[:16] or 'unknown'}"
            )


def summary(run: Run) -> Iterator[str]:
    """The lines below the tests; none for a run without requests."""
    if not run.idle:
        yield from _tallied(run, run.tally())
    for line in run.live.of_killed_runs:
        yield f"left by a run that was killed (pytest-wml sweep --yes deletes it): {line}"
    for result in run.recording.write_results:
        yield f"{result.path.name}: {result.text}"


def _tallied(run: Run, tally: Tally) -> Iterator[str]:
    total = sum(tally.answered.values())
    if total:
        waits = f", {tally.waited:g} s of waiting left out" if tally.waited else ""
        yield f"{run.configuration.mode.value}: {total} requests answered, live calls: {tally.answered['live']}{waits}"
    yield from _spent(tally)
    for line in run.live.deleted:
        yield f"deleted at the end: {line}"
    yield from _played(tally)
    for name, model in sorted(tally.existing.items()):
        yield f"{name}: a deployment that existed already, {model}"
    for name, found in sorted(tally.linted.items()):
        yield from (f"{name}: lint: {line}" for line in found)
    yield from faults(tally)
    for doubt in tally.doubts:
        yield f"doubt: {doubt}"
