"""What a run says on the terminal; pure functions from the run to lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_wml.options import Mode

if TYPE_CHECKING:
    from pytest_wml.session import Run


def header(run: Run) -> Iterator[str]:
    """The lines above the tests: the mode and what chose it, and whatever else is not left at its default."""
    setting = run.settings.mode
    recording = ", recording" if run.settings.record.value else ""
    yield f"wml: {setting.value.value}{recording} (from {setting.source})"
    others = {name: value for name, value in run.settings.chosen().items() if name not in ("mode", "record")}
    if others:
        yield "wml: " + ", ".join(f"{name} = {value}" for name, value in others.items())


def summary(run: Run) -> Iterator[str]:
    """The lines below the tests; nothing for a run that asked WML nothing."""
    answered = Counter(exchange.answered_by for exchange in run.ledger.exchanges)
    if answered:
        total, live = sum(answered.values()), answered["live"]
        yield f"{run.mode.value}: {total} requests answered, live calls: {live}{_waits(run)}"
    if run.mode is Mode.REPLAY and answered:
        for player in run.replay.library.players():
            facts, model = player.cassette.metadata, player.cassette.model
            yield (
                f"{player.cassette.name}.yaml: {answered[player.cassette.name]} answers, recorded "
                f"{facts.get('recorded_at')} from {facts.get('recorded_from')}, "
                f"model {model.model[:16] if model else 'unknown'}"
            )
    for outcome in run.outcomes:
        yield f"{outcome.path.name}: {outcome.text}"


def _waits(run: Run) -> str:
    seconds = run.door.skipped_seconds
    return f", {seconds:g} s of waiting left out" if seconds else ""
