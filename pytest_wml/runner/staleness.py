"""Finds recordings that are too old or unused."""

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
"""Key in pytest's cache: the last complete replay."""
INCOMPLETE = "wml/incomplete"
"""Key in pytest's cache: the reason why the last replay was not complete; empty if it was."""


@dataclass(frozen=True)
class CompleteReplay:
    """The requests and the suite of a complete replay.

    Args:
        identities: of its requests.
        cassettes: name of each recording → hash of its file at that time.
        folder: the folder of the recordings, relative to the root folder.
        started: time of the start, in seconds since the epoch.
        suite: files and folders of the tests, relative to the root folder.
        skipped: patterns of folders without tests.
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
        """The replay of such JSON.

        Raises:
            KeyError, TypeError, ValueError: the JSON has another form.
        """
        return cls(
            identities=frozenset(form["identities"]),
            cassettes=dict(form["cassettes"]),
            folder=str(form["folder"]),
            started=float(form["started"]),
            suite=tuple(form["suite"]),
            skipped=tuple(form["skipped"]),
        )


@dataclass(frozen=True)
class RecordingFinding:
    """A recording that needs attention.

    Args:
        text: one line.
        expired: whether the recording is too old.
    """

    text: str
    expired: bool = False


def expired(tally: Tally, days: int, today: datetime.date) -> Iterator[RecordingFinding]:
    """Yield the replayed recordings whose oldest interaction is older than allowed.

    Args:
        tally: counts of the run.
        days: maximal age of a recording; 0 allows any age.
        today: the current date.
    """
    for name, played in sorted(tally.cassettes.items()):
        try:
            age = (today - datetime.date.fromisoformat(played.recorded_at)).days
        except ValueError:
            continue
        if days and age > days and played.played:
            yield RecordingFinding(
                f"{name}.yaml was recorded {age} days ago, {days} are allowed: record it again "
                "(--wml-record), or raise wml_max_age",
                expired=True,
            )


def unused_interactions(cassette: Cassette, played: Collection[str]) -> list[Interaction]:
    """The interactions of a recording that no test and no other interaction needs.

    A change of the service's state is needed if an answer that was recorded after it is needed. If no interaction is
    needed by a test, all of them are unused.

    Args:
        cassette: the recording.
        played: identities of the requests of the whole run, in all cassettes.
    """
    if not any(one.identity in played or _is_needed(one) for one in cassette.interactions):
        return list(cassette.interactions)
    unused: list[Interaction] = []
    answered = False  # whether a later answer is needed, recorded before the next change of state
    for one in reversed(cassette.interactions):
        needed = one.identity in played or _is_needed(one) or (one.mutates and answered)
        if not needed:
            unused.append(one)
        answered = not one.mutates and (needed or answered)
    return unused[::-1]


def _is_needed(one: Interaction) -> bool:
    """Whether replay itself reads an interaction: the download of an existing deployment's model, for its digests."""
    return isinstance(one.answer, ArchiveContent)


def unused_recordings(cassettes: Iterable[Cassette], played: Collection[str]) -> Iterator[RecordingFinding]:
    """Yield the recordings with unused interactions.

    Args:
        cassettes: all cassettes of the folder.
        played: identities of the requests of the whole run, in all cassettes.
    """
    for cassette in cassettes:
        unused = unused_interactions(cassette, played)
        if len(unused) == len(cassette.interactions):
            yield RecordingFinding(f"{cassette.name}.yaml is used by no test: delete it, or run its tests")
        elif unused:
            distinct = list({one.identity: str(one.request) for one in unused}.values())
            more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
            yield RecordingFinding(
                f"{cassette.name}.yaml contains requests that no test sends: {', '.join(distinct[:_SHOWN])}{more} "
                "(pytest-wml cassette prune)"
            )
