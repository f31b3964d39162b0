"""Which recorded request is nearest to one that no recording answers, and where the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_wml.replay.cassette.identity import Request, parsed, request
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.places import ABSENT
from pytest_wml.replay.cassette.similarity import Distance, common_prefix, distance
from pytest_wml.wml.hosts import Role

SHORT = 60
"""Characters of a value that are shown."""
_DIFFERENCES = 8
_COMPARED = 64
"""Recorded requests that are compared in full."""
_BYTES = 4_000_000
"""Bytes of bodies that are compared in full."""
_OTHERWISE = 0.01
"""What a token or the kind of service counts, beside a body."""
_WHICH = "WML_URL says which it is, in replay too"


def nearest(asked: Request, recorded: Iterable[Interaction]) -> Request | None:
    """The recorded request most like this one; None where nothing is recorded.

    One for the same path is nearer than any other. Among those the one is nearest whose query and body have the same
    structure, and among these the one whose values are nearest, numbers by their difference.
    """
    distinct = list({interaction.identity: interaction for interaction in recorded}.values())
    same = alike = [one for one in distinct if (one.method, one.path) == (asked.method, asked.path)]
    if not same:
        paths = dict.fromkeys((one.method, one.path) for one in distinct)
        best = max(paths, key=lambda path: _likeness(asked, *path), default=None)
        alike = [one for one in distinct if (one.method, one.path) == best]
    if not alike:
        return None
    sent = _value(asked)
    apart = {one.identity: _distance(asked, sent, one) for one in compared(sent, alike)}
    near = min(apart, key=lambda identity: apart[identity])
    return next(one.request for one in alike if one.identity == near)


def compared(sent: Any, recorded: list[Interaction]) -> list[Interaction]:
    """The recorded requests that are worth a comparison in full: all of a few, and of many the likely ones."""
    if len(recorded) > _COMPARED or sum(map(_size, recorded)) > _BYTES:
        from pytest_wml.replay.cassette.sketch import nearest_bodies  # loads numpy

        body = json.dumps(sent, ensure_ascii=False).encode("utf-8", "surrogatepass")
        order = nearest_bodies(body, [one.body if isinstance(one.body, bytes) else b"" for one in recorded])
        recorded = [recorded[number] for number in order[:_COMPARED]]
    chosen, total = recorded[:1], _size(recorded[0])
    for one in recorded[1:]:
        total += _size(one)
        if total <= _BYTES:
            chosen.append(one)
    return chosen


def _size(interaction: Interaction) -> int:
    return len(interaction.body) if isinstance(interaction.body, bytes) else 0


def _value(asked: Request) -> Any:
    """The body of a request as a JSON value, in the order in which it was sent; its text where it is not JSON."""
    value = parsed(asked.sent) if isinstance(asked.sent, bytes) and asked.sent else None
    return asked.body if value is None else value


def _distance(asked: Request, sent: Any, one: Interaction) -> Distance:
    without_body = request(one.method, one.role, one.path, one.query, b"", one.refusable)
    total = distance(dict(asked.query), dict(without_body.query))
    if (asked.role, asked.refusable) != (one.role, one.refusable):
        total = total.plus(Distance(0, _OTHERWISE))
    try:
        return total.plus(distance(sent, _value(one.request)))
    except RecursionError:
        return total.plus(Distance(1))


def _likeness(asked: Request, method: str, path: str) -> float:
    """How much of two paths is the same, part by part, and whether the method is."""
    ours, theirs = asked.path.split("/"), path.split("/")
    pairs = zip(ours, theirs, strict=False)
    shared = sum(common_prefix(*pair) / max(1, *map(len, pair)) for pair in pairs)
    return 2 * shared / (len(ours) + len(theirs)) + (asked.method == method) / 2


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
            yield f"body {place}: asked {short(ours)}, recorded {short(theirs)}"
    except (ValueError, RecursionError):
        yield f"body: asked {short(asked)}, recorded {short(recorded)}"


def _parted(place: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            yield from _parted(f"{place}.{name}", ours.get(name, ABSENT), theirs.get(name, ABSENT))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
            yield from _parted(f"{place}.{number}", mine, other)
        if len(ours) != len(theirs):
            yield f"{place} length", len(ours), len(theirs)
    elif ours != theirs or type(ours) is not type(theirs):
        yield place, ours, theirs


def short(value: Any) -> str:
    text = repr(value) if value is ABSENT or isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
