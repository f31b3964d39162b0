"""Where an unanswered request parts from the recorded one that is nearest to it."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_wml.cassette.identity import Request
from pytest_wml.cassette.normalise import Interaction
from pytest_wml.hosts import Role

_SHOWN = 60
_DIFFERENCES = 8
_CANDIDATES = 50
_COUNTED = 1000
_WHICH = "WML_URL says which it is, in replay too"


def nearest(asked: Request, recorded: Iterable[Interaction]) -> Request | None:
    """The recorded request most like this one: one for the same path with the fewest differences, else a like path."""
    distinct = list({interaction.identity: interaction for interaction in recorded}.values())
    same = [one for one in distinct if (one.method, one.path) == (asked.method, asked.path)]
    if same:
        same.sort(key=lambda one: abs(len(asked.body) - _size(one)))
        return min((one.request for one in same[:_CANDIDATES]), key=lambda one: _distance(asked, one))
    return max((one.request for one in distinct), key=lambda one: _likeness(asked, one), default=None)


def _size(interaction: Interaction) -> int:
    return len(interaction.body) if isinstance(interaction.body, bytes) else 0


def _distance(asked: Request, recorded: Request) -> int:
    """How many places of query and body differ, counted up to a bound."""
    query = len(set(asked.query) ^ set(recorded.query))
    try:
        places = _parted("$", json.loads(asked.body or "null"), json.loads(recorded.body or "null"))
        return query + sum(1 for _ in itertools.islice(places, _COUNTED))
    except (ValueError, RecursionError):
        return query + (asked.body != recorded.body)


def _likeness(asked: Request, recorded: Request) -> float:
    return difflib.SequenceMatcher(None, asked.path, recorded.path).ratio() + (asked.method == recorded.method) / 2


def differences(asked: Request, recorded: Request) -> Iterator[str]:
    """Yield where two requests part, as `place: asked …, recorded …`."""
    if (asked.method, asked.path) != (recorded.method, recorded.path):
        yield f"asked {asked.method} {asked.path}, recorded {recorded.method} {recorded.path}"
        return
    if (asked.role is Role.CPD) is not (recorded.role is Role.CPD):
        yield f"service: asked {_service(asked)}, recorded {_service(recorded)} ({_WHICH})"
    if asked.refusable != recorded.refusable:
        yield f"token: asked {asked.refusable or 'with one'}, recorded {recorded.refusable or 'with one'}"
    ours, theirs = dict(asked.query), dict(recorded.query)
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield f"query {name}: asked {ours.get(name)!r}, recorded {theirs.get(name)!r}"
    if asked.body != recorded.body:
        yield from _body_differences(asked.body, recorded.body)


def _service(request: Request) -> str:
    return "Cloud Pak for Data" if request.role is Role.CPD else "IBM Cloud"


def _body_differences(asked: str, recorded: str) -> Iterator[str]:
    try:
        pairs = _parted("$", json.loads(asked), json.loads(recorded))
        for number, (place, ours, theirs) in enumerate(pairs):
            if number == _DIFFERENCES:
                yield "… and further places"
                return
            yield f"body {place}: asked {_short(ours)}, recorded {_short(theirs)}"
    except (ValueError, RecursionError):
        yield f"body: asked {_short(asked)}, recorded {_short(recorded)}"


def _parted(place: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            yield from _parted(f"{place}.{name}", ours.get(name, _ABSENT), theirs.get(name, _ABSENT))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
            yield from _parted(f"{place}.{number}", mine, other)
        if len(ours) != len(theirs):
            yield f"{place} length", len(ours), len(theirs)
    elif ours != theirs or type(ours) is not type(theirs):
        yield place, ours, theirs


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, (_Absent, str)) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
