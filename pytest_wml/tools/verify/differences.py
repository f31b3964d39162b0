"""Every difference between a recorded answer and another one to the same request; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.tools.verify.rules import Found, Kind, Level, level_of

RTOL, ATOL = 1e-4, 1e-5
"""What single precision differs by between two machines that compute the same network."""
_DATA = "predictions"
_PAIRED = {"resources": ("id", "asset_id", "name"), _DATA: ("id",)}
"""Lists whose elements are told apart by what they are called, and by what."""


class Answer(NamedTuple):
    """An answer in the form in which a recording holds it."""

    status: int
    content_type: str
    body: Body


class Terms(NamedTuple):
    """What two answers may differ by.

    Args:
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        known: ids of the recording that are known by another id at the other side.
        other_kind: whether one answer is IBM Cloud's and the other a Cloud Pak for Data's.
    """

    rtol: float = RTOL
    atol: float = ATOL
    known: frozenset[str] = frozenset()
    other_kind: bool = False


class Difference(NamedTuple):
    """Something that is not as it was recorded.

    Args:
        path: where in the answer; `status` and `content-type` for what is no part of its body.
    """

    level: Level
    path: str
    kind: Kind
    recorded: Any
    now: Any


def differences(recorded: Answer, now: Answer, terms: Terms) -> Iterator[Difference]:
    """Yield every difference, in the order of the members' names; nothing where the answers agree."""
    for found in _found(recorded, now, terms):
        found = found._replace(known=terms.known, other_kind=terms.other_kind)
        yield Difference(level_of(found), found.path or "body", found.kind, found.recorded, found.now)


def _found(recorded: Answer, now: Answer, terms: Terms) -> Iterator[Found]:
    if recorded.status != now.status:
        yield Found("status", Kind.STATUS, _with_reason(recorded), _with_reason(now))
        if recorded.status // 100 != now.status // 100:
            return  # an answer and a refusal have nothing to compare
    # A service that answers nothing need not say in which form.
    if recorded.content_type != now.content_type and (recorded.body or now.body):
        yield Found("content-type", Kind.CONTENT_TYPE, recorded.content_type, now.content_type)
    yield from _of_bodies(recorded.body, now.body, terms)


def _of_bodies(recorded: Body, now: Body, terms: Terms) -> Iterator[Found]:
    if isinstance(recorded, ArchiveContent) and isinstance(now, ArchiveContent):
        if (recorded.archive, recorded.model) != (now.archive, now.model):
            kind = "model" if recorded.model != now.model else "archive"
            yield Found(kind, Kind.VALUE, getattr(recorded, kind), getattr(now, kind))
        return
    if isinstance(recorded, ArchiveContent) or isinstance(now, ArchiveContent):
        yield Found("", Kind.TYPE, _said(recorded), _said(now))
        return
    ours, theirs = parsed(recorded), parsed(now)
    if ours is not None and theirs is not None:
        yield from _walk("", ours, theirs, terms)
    elif recorded != now:
        yield Found("", Kind.TYPE if (ours is None) != (theirs is None) else Kind.VALUE, _said(recorded), _said(now))


def _walk(path: str, recorded: Any, now: Any, terms: Terms) -> Iterator[Found]:
    if _type(recorded) != _type(now):
        yield Found(path, Kind.TYPE, recorded, now)
    elif isinstance(recorded, dict):
        yield from _of_objects(path, recorded, now, terms)
    elif isinstance(recorded, list):
        yield from _of_lists(path, recorded, now, terms)
    elif _type(recorded) == "number":
        yield from _of_numbers(path, recorded, now, terms)
    elif recorded != now:
        state = path.rpartition(".")[2] == "state" and not _is_data(path)
        yield Found(path, Kind.STATE if state else Kind.VALUE, recorded, now)


def _of_objects(path: str, recorded: dict[str, Any], now: dict[str, Any], terms: Terms) -> Iterator[Found]:
    for name in sorted({*recorded, *now}):
        place = f"{path}.{name}" if path else name
        if name not in now:
            yield Found(place, Kind.GONE, recorded[name], None)
        elif name not in recorded:
            yield Found(place, Kind.ADDED, None, now[name])
        else:
            yield from _walk(place, recorded[name], now[name], terms)


def _of_lists(path: str, recorded: list[Any], now: list[Any], terms: Terms) -> Iterator[Found]:
    keys = _paired(path, recorded, now)
    if keys is not None:
        yield from _of_named(path, (keys[0], recorded), (keys[1], now), terms)
        return
    if not _is_data(path) and recorded != now and _same_in_another_order(recorded, now):
        yield Found(path, Kind.ORDER, recorded, now)
        return
    if len(recorded) != len(now):
        longer = len(now) > len(recorded)
        kind = Kind.ADDED if longer and not _is_data(path) else Kind.LENGTH
        yield Found(path, kind, len(recorded), len(now))
    for number, (ours, theirs) in enumerate(zip(recorded, now, strict=False)):
        yield from _walk(f"{path}.{number}", ours, theirs, terms)


Named = tuple[list[Hashable], list[Any]]


def _of_named(path: str, recorded: Named, now: Named, terms: Terms) -> Iterator[Found]:
    """Of lists whose elements have names, element by element."""
    theirs = dict(zip(*now, strict=True))
    for number, (name, element) in enumerate(zip(*recorded, strict=True)):
        if name in theirs:
            yield from _walk(f"{path}.{number}", element, theirs[name], terms)
        else:
            yield Found(f"{path}.{number}", Kind.GONE, element, None)
    for number, (name, element) in enumerate(zip(*now, strict=True)):
        if name not in recorded[0]:
            yield Found(f"{path}.{number}", Kind.ADDED, None, element)
    common = [name for name in recorded[0] if name in theirs]
    if common != [name for name in now[0] if name in common]:
        yield Found(path, Kind.ORDER, recorded[0], now[0])


def _paired(path: str, recorded: list[Any], now: list[Any]) -> tuple[list[Hashable], list[Hashable]] | None:
    """What the elements of two lists are called, where each has a name of its own; else None."""
    for name in _PAIRED.get(path, ()):
        ours, theirs = ([_called(element, name) for element in side] for side in (recorded, now))
        if all(None not in side and len(set(side)) == len(side) for side in (ours, theirs)):
            return list(ours), list(theirs)
    return None


def _called(element: Any, name: str) -> str | None:
    if not isinstance(element, dict):
        return None
    metadata = element.get("metadata")
    found = (metadata if isinstance(metadata, dict) else element).get(name)
    return found if isinstance(found, str) else None


def _of_numbers(path: str, recorded: float, now: float, terms: Terms) -> Iterator[Found]:
    if not same_number(recorded, now, terms):
        yield Found(path, Kind.NUMBER, recorded, now)
    elif type(recorded) is not type(now):
        yield Found(path, Kind.FORM, recorded, now)


def same_number(recorded: float, now: float, terms: Terms) -> bool:
    """Whether two numbers agree: whole ones are equal, a float is within the tolerance of the recorded number."""
    if recorded == now or (recorded != recorded and now != now):
        return True
    if isinstance(recorded, int) and isinstance(now, int):
        return False
    try:
        if not (math.isfinite(recorded) and math.isfinite(now)):
            return False
    except OverflowError:  # a whole number that no float is as large as
        return False
    return abs(recorded - now) <= terms.atol + terms.rtol * abs(recorded)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def _is_data(path: str) -> bool:
    return path == _DATA or path.startswith(f"{_DATA}.")


def _same_in_another_order(recorded: list[Any], now: list[Any]) -> bool:
    return Counter(map(repr, recorded)) == Counter(map(repr, now))


def _with_reason(answer: Answer) -> str:
    """A status with the code and the words of a refusal."""
    body = parsed(answer.body) if isinstance(answer.body, bytes) else None
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return " ".join(map(str, (answer.status, *(first[name] for name in ("code", "message") if name in first))))


def _said(body: Body) -> str:
    if isinstance(body, ArchiveContent):
        return f"an archive, {body.archive}"
    return body.decode("utf-8", "replace")
