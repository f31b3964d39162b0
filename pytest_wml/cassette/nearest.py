"""Where an unanswered request parts from the recorded one that is nearest to it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_wml.cassette.identity import Request
from pytest_wml.cassette.normalise import Interaction

_SHOWN = 60
_DIFFERENCES = 8


def nearest(asked: Request, recorded: Iterable[Interaction]) -> Request | None:
    """The recorded request most like this one: same method and path first, then a like path."""
    best: tuple[float, Request] | None = None
    for interaction in {interaction.identity: interaction for interaction in recorded}.values():
        likeness = _likeness(asked, interaction)
        if best is None or likeness > best[0]:
            best = likeness, interaction.request
    return best[1] if best else None


def _likeness(asked: Request, recorded: Interaction) -> float:
    same_place = asked.method == recorded.method and asked.path == recorded.path
    path = 1.0 if same_place else difflib.SequenceMatcher(None, asked.path, recorded.path).ratio() / 2
    size = min(len(asked.body), len(recorded.body if isinstance(recorded.body, bytes) else b""))
    longest = max(len(asked.body), len(recorded.body if isinstance(recorded.body, bytes) else b""), 1)
    return path + (asked.method == recorded.method) / 4 + size / longest / 8


def differences(asked: Request, recorded: Request) -> Iterator[str]:
    """Yield where two requests part, as `place: asked …, recorded …`."""
    if (asked.method, asked.path) != (recorded.method, recorded.path):
        yield f"asked {asked.method} {asked.path}, recorded {recorded.method} {recorded.path}"
        return
    ours, theirs = dict(asked.query), dict(recorded.query)
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield f"query {name}: asked {ours.get(name)!r}, recorded {theirs.get(name)!r}"
    if asked.body != recorded.body:
        yield from _body_differences(asked.body, recorded.body)


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
