"""Recordings that are too old, that nobody asks for any more, or that no test has."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pytest_wml.interception.request_counts import Tally
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.tape import ArchiveContent

_SHOWN = 5

PLAYED = "wml/played"
"""What pytest's cache calls the last complete replay."""
INCOMPLETE = "wml/incomplete"
"""What pytest's cache calls the reason for which the last replay was not complete; empty if it was."""


@dataclass(frozen=True)
class CompleteReplay:
    """What a complete replay asked for, and of which suite.

    Args:
        identities: of the requests that it asked.
        cassettes: name of each recording → hash of its file at that time.
        folder: the folder of the recordings, relative to the root folder.
        started: when it began, in seconds since the epoch.
        suite: files and folders of the tests, relative to the root folder.
        skipped: patterns of folders in which there are no tests.
    """

    identities: frozenset[str]
    cassettes: dict[str, str]
    folder: str
    started: float
    suite: tuple[str, ...]
    skipped: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "identities": sorted(self.identities)}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> CompleteReplay:
        """The replay of a form; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            identities=frozenset(form["identities"]),
            cassettes=dict(form["cassettes"]),
            folder=str(form["folder"]),
            started=float(form["started"]),
            suite=tuple(form["suite"]),
            skipped=tuple(form["skipped"]),
        )


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


def unasked(cassette: Cassette, played: Collection[str]) -> list[Interaction]:
    """The interactions of a recording that no test asks for and no answer needs; all of them if none is asked for.

    A change of the service's state stays as long as an answer that was recorded after it stays.

    Args:
        cassette: the recording.
        played: the identities that the whole run asked for, of whatever cassette.
    """
    if not any(one.identity in played or _is_needed(one) for one in cassette.interactions):
        return list(cassette.interactions)
    found: list[Interaction] = []
    answered = False  # whether an answer stays that comes after the change being looked at
    for one in reversed(cassette.interactions):
        stays = one.identity in played or _is_needed(one) or (one.mutates and answered)
        if not stays:
            found.append(one)
        answered = not one.mutates and (stays or answered)
    return found[::-1]


def _is_needed(one: Interaction) -> bool:
    """Whether replay reads an interaction unasked: the download of an existing deployment's model, for its digests."""
    return isinstance(one.answer, ArchiveContent)


def unused(cassettes: Iterable[Cassette], played: Collection[str]) -> Iterator[Finding]:
    """Yield the recordings that contain what no test asks for.

    Args:
        cassettes: every cassette of the folder.
        played: the identities that the whole run asked for, of whatever cassette.
    """
    for cassette in cassettes:
        idle = unasked(cassette, played)
        if len(idle) == len(cassette.interactions):
            yield Finding(f"{cassette.name}.yaml answers no test any more: delete it, or run its tests")
        elif idle:
            distinct = list({one.identity: str(one.request) for one in idle}.values())
            more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
            yield Finding(
                f"{cassette.name}.yaml holds what no test asks for: {', '.join(distinct[:_SHOWN])}{more} "
                "(pytest-wml cassette prune)"
            )
