"""Recordings that are too old, that nobody asks for any more, or that no test has."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_wml.cassette.file import Cassette
from pytest_wml.cassette.tape import Content
from pytest_wml.tally import Tally

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """Something about the recordings that somebody should look at.

    Args:
        text: one line.
        expired: whether it is a recording's age.
    """

    text: str
    expired: bool = False


def expired(tally: Tally, days: int, today: datetime.date) -> Iterator[Finding]:
    """Yield the recordings that answered and whose oldest interaction is older than allowed.

    Args:
        tally: what was played.
        days: how old a recording may be; 0 allows any age.
        today: to count from.
    """
    for name, played in sorted(tally.cassettes.items()):
        try:
            age = (today - datetime.date.fromisoformat(played.recorded_at)).days
        except ValueError:
            continue
        if days and age > days and played.played:
            yield Finding(
                f"{name}.yaml was recorded {age} days ago, {days} are allowed: record it again "
                "(--wml-record), or raise wml_max_age",
                expired=True,
            )


def unused(cassettes: Iterable[Cassette], played: set[str]) -> Iterator[Finding]:
    """Yield the recordings that hold what no test asks for.

    Args:
        cassettes: every cassette of the folder.
        played: the identities that the whole run asked for, of whatever cassette.
    """
    for cassette in cassettes:
        idle = {
            one.identity: one
            for one in cassette.interactions
            # The download of an existing deployment's model is held by its digests, which replay reads unasked.
            if one.identity not in played and not isinstance(one.answer, Content)
        }
        if len(idle) == len({one.identity for one in cassette.interactions}):
            yield Finding(f"{cassette.name}.yaml answers no test any more: delete it, or run its tests")
        elif idle:
            shown = ", ".join(str(one.request) for one in list(idle.values())[:_SHOWN])
            more = f" and {len(idle) - _SHOWN} more" if len(idle) > _SHOWN else ""
            yield Finding(
                f"{cassette.name}.yaml holds what no test asks for: {shown}{more} (pytest-wml cassette prune)"
            )
