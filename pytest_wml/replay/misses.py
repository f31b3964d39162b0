"""Remembers unanswered requests between runs, to detect values that differ on every run."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from pytest_wml.config.json_paths import Place, written
from pytest_wml.replay.cassette.places import ABSENT, ROWS, Deviation

Missed = Mapping[str, Mapping[str, str]]
"""A request → its places that differed from the recording → a hash of the value."""

_PLACES, _NAMED = 200, 4
_REQUESTS = 500


class Misses:
    """The unanswered requests of this run and of earlier ones.

    Args:
        before: gives those of earlier runs; called with the first unanswered request.
    """

    def __init__(self, before: Callable[[], Missed] = dict) -> None:
        self._before = before
        self._asked: Counter[str] = Counter()
        self.now: dict[str, Mapping[str, str]] = {}

    def differing(self, asked: str, found: Iterable[Deviation]) -> list[Place]:
        """The places whose value differs now, differed the last time, and is another one each time.

        Args:
            asked: names the request and its test.
            found: the places in which it differs from the recording.
        """
        self._asked[asked] += 1
        key = f"{asked} {self._asked[asked]}"
        values = {one.place: _hash(one.asked) for one in list(found)[:_PLACES] if one.asked is not ABSENT}
        earlier = self._before().get(key)
        before = earlier if isinstance(earlier, dict) else {}
        self.now[key] = {written(place): value for place, value in values.items()}
        return [place for place, value in values.items() if before.get(written(place), value) != value]

    def all(self) -> Missed:
        """What to remember for the next run."""
        return dict(list({**self._before(), **self.now}.items())[-_REQUESTS:])


def _hash(value: object) -> str:
    """A hash: the value itself may be a secret."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def advice(places: Iterable[Place]) -> tuple[str, str]:
    """Which values differ on every run, and what to do about them."""
    paths = list(dict.fromkeys(map(_of_all_rows, places)))
    one, many = len(paths) == 1, len(paths) > _NAMED
    shown = ", ".join([*paths[:_NAMED], *(["and others"] if many else [])])
    bodies = [path for path in paths if path.startswith("$")]
    fix = f"{'this value differs' if one else 'these values differ'} on every run; "
    fix += f"make {'it' if one else 'them'} constant{' (a fixed seed)' if many else ''}"
    if bodies and not many:
        fix += f", or name {'it' if len(bodies) == 1 else 'them'} in the ini: wml_ignore = {', '.join(bodies)}"
    return shown, fix


def _of_all_rows(place: Place) -> str:
    """A place as a path, one for all rows of a payload."""
    if place[0] != "$":
        return " ".join(map(str, place))
    path = written(place[:1])
    for before, part in itertools.pairwise(place):
        is_row = isinstance(part, int) and isinstance(before, str) and not ROWS.isdisjoint(place)
        path += "[*]" if is_row else written(("", part))
    return path
