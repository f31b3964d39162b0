"""Continues an older recording with a new one: which interactions and dates of the old one stay."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from pytest_wml.replay.cassette.cassette import BadCassette, Cassette
from pytest_wml.replay.cassette.library import same_model
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.suite_part import SuitePart
from pytest_wml.replay.cassette.tape import ArchiveContent

_SHOWN = 3


def continued(new: Cassette, old: Cassette, part: SuitePart, max_age: int) -> Cassette:
    """A new recording together with what the old one holds for tests that did not run.

    What did not change keeps the date of the old recording, so that two branches that each add a test change no line in
    common. The date of the whole is renewed if nothing else changed, if it is too old, or if the recording comes from
    elsewhere now.

    Raises:
        BadCassette: it is of another model, and answers would be lost that tests need which did not run.
    """
    old = with_oldest_date(old)
    asked = {interaction.identity for interaction in new.interactions}
    unasked = [interaction for interaction in old.interactions if interaction.identity not in asked]
    changed = other_models(old, new)
    if changed:
        _check_loss(new.name, *changed, unasked if part is SuitePart.CHOSEN else [])
        return new  # what was recorded with the old model answers nobody any more
    kept = (
        [] if part is SuitePart.ALL else [one for one in old.interactions if one.identity not in asked or one.mutates]
    )
    interactions = merged([new.interactions, kept]) if kept else new.interactions
    known = {one: old.origin(one) for one in old.interactions}
    if (part is SuitePart.ALL or not unasked) and _renews(new, old, max_age):
        dates = dict(known) | dict.fromkeys(new.interactions)
        facts = new.metadata
    else:
        dates = {one: known.get(one, new.origin_of_all) for one in interactions}
        facts = new.metadata | {name: fact for name, fact in old.origin_of_all._asdict().items() if fact}
    if kept and "ignored" in old.metadata:
        facts = {**facts, "ignored": together(facts.get("ignored"), old.metadata["ignored"])}
    return Cassette(new.name, facts, tuple(replace(one, origin=dates[one]) for one in interactions))


def together(*lists: object) -> list[str]:
    """The places that recordings do not compare, each once."""
    return list(dict.fromkeys(str(place) for places in lists if isinstance(places, list) for place in places))


def with_oldest_date(cassette: Cassette) -> Cassette:
    """A recording in which format 1's two dates are one: which interaction is of which date, it does not say."""
    if "oldest" not in cassette.metadata:
        return cassette
    facts = {**cassette.metadata, "recorded_at": cassette.oldest}
    del facts["oldest"]
    return replace(cassette, metadata=facts)


def _check_loss(name: str, then: ArchiveContent, now: ArchiveContent, lost: list[Interaction]) -> None:
    if not lost:
        return
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    raise BadCassette(
        f"Cassette {name} belongs to another model; recording only some tests would lose what others need.",
        recorded=then.model,
        now=now.model,
        would_be_lost=", ".join(str(one.request) for one in lost[:_SHOWN]) + more,
        fix="record the whole suite: in the root folder, without -k, --lf, paths or single tests",
    )


def _renews(new: Cassette, old: Cassette, max_age: int) -> bool:
    """Whether a recording of everything gets the date of today."""
    if new.interactions == old.interactions or new.origin_of_all[1:] != old.origin_of_all[1:]:
        return True
    try:
        age = datetime.date.fromisoformat(new.newest) - datetime.date.fromisoformat(old.oldest)
    except ValueError:
        return True
    return 0 < max_age < age.days


def other_models(old: Cassette, new: Cassette) -> tuple[ArchiveContent, ArchiveContent] | None:
    """The first model that is another one now: of the metadata, or of any upload that both hold."""
    pairs = [(old.model, new.model), *_paired_uploads(old, new)]
    return next(((then, now) for then, now in pairs if then and now and not same_model(then, now)), None)


def _paired_uploads(old: Cassette, new: Cassette) -> Iterator[tuple[ArchiveContent, ArchiveContent]]:
    """Yield the uploads that both cassettes hold, paired by the request and its turn."""
    before: dict[str, list[ArchiveContent]] = defaultdict(list)
    for one in old.interactions:
        if isinstance(one.body, ArchiveContent):
            before[one.identity].append(one.body)
    for one in new.interactions:
        if isinstance(one.body, ArchiveContent) and before[one.identity]:
            yield before[one.identity].pop(0), one.body
