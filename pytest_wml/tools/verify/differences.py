"""Finds every difference between two answers to the same request; pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.tools.verify.rules import DifferenceKind, DifferenceLevel, Mismatch, level_of

RTOL, ATOL = 1e-4, 1e-5
"""Tolerances for single precision results of the same network on two machines."""
_DATA = "predictions"
_NAMED_LISTS = {"resources": ("id", "asset_id", "name"), _DATA: ("id",)}
"""Lists whose elements are matched by a name, and the members with this name."""


class ComparedAnswer(NamedTuple):
    """An answer in the form of a recording."""

    status: int
    content_type: str
    body: Body


class ComparisonTerms(NamedTuple):
    """Settings of a comparison.

    Args:
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        known: recorded ids that have a known id at the service.
        other_kind: whether one answer is from IBM Cloud and the other from Cloud Pak for Data.
    """

    rtol: float = RTOL
    atol: float = ATOL
    known: frozenset[str] = frozenset()
    other_kind: bool = False


class Difference(NamedTuple):
    """A difference from the recorded answer.

    Args:
        level: severity.
        path: location in the answer; `status` and `content-type` for differences outside the body.
        kind: kind of the difference.
        recorded: recorded value.
        now: present value.
    """

    level: DifferenceLevel
    path: str
    kind: DifferenceKind
    recorded: Any
    now: Any


def differences(recorded: ComparedAnswer, now: ComparedAnswer, terms: ComparisonTerms) -> Iterator[Difference]:
    """Yield every difference, in the order of the members' names; nothing if the answers agree."""
    for mismatch in _mismatches(recorded, now, terms):
        mismatch = mismatch._replace(known=terms.known, other_kind=terms.other_kind)
        yield Difference(level_of(mismatch), mismatch.path or "body", mismatch.kind, mismatch.recorded, mismatch.now)


def _mismatches(recorded: ComparedAnswer, now: ComparedAnswer, terms: ComparisonTerms) -> Iterator[Mismatch]:
    if recorded.status != now.status:
        yield Mismatch("status", DifferenceKind.STATUS, _with_reason(recorded), _with_reason(now))
        if recorded.status // 100 != now.status // 100:
            return  # a success and a refusal have no common members
    # An empty answer needs no content type.
    if recorded.content_type != now.content_type and (recorded.body or now.body):
        yield Mismatch("content-type", DifferenceKind.CONTENT_TYPE, recorded.content_type, now.content_type)
    yield from _body_mismatches(recorded.body, now.body, terms)


def _body_mismatches(recorded: Body, now: Body, terms: ComparisonTerms) -> Iterator[Mismatch]:
    if isinstance(recorded, ArchiveContent) and isinstance(now, ArchiveContent):
        if (recorded.archive, recorded.model) != (now.archive, now.model):
            kind = "model" if recorded.model != now.model else "archive"
            yield Mismatch(kind, DifferenceKind.VALUE, getattr(recorded, kind), getattr(now, kind))
        return
    if isinstance(recorded, ArchiveContent) or isinstance(now, ArchiveContent):
        yield Mismatch("", DifferenceKind.TYPE, _body_text(recorded), _body_text(now))
        return
    ours, theirs = parsed(recorded), parsed(now)
    if ours is not None and theirs is not None:
        yield from _walk("", ours, theirs, terms)
    elif recorded != now:
        yield Mismatch(
            "",
            DifferenceKind.TYPE if (ours is None) != (theirs is None) else DifferenceKind.VALUE,
            _body_text(recorded),
            _body_text(now),
        )


def _walk(path: str, recorded: Any, now: Any, terms: ComparisonTerms) -> Iterator[Mismatch]:
    if _type(recorded) != _type(now):
        yield Mismatch(path, DifferenceKind.TYPE, recorded, now)
    elif isinstance(recorded, dict):
        yield from _object_mismatches(path, recorded, now, terms)
    elif isinstance(recorded, list):
        yield from _list_mismatches(path, recorded, now, terms)
    elif _type(recorded) == "number":
        yield from _number_mismatches(path, recorded, now, terms)
    elif recorded != now:
        state = path.rpartition(".")[2] == "state" and not _is_data(path)
        yield Mismatch(path, DifferenceKind.STATE if state else DifferenceKind.VALUE, recorded, now)


def _object_mismatches(
    path: str, recorded: dict[str, Any], now: dict[str, Any], terms: ComparisonTerms
) -> Iterator[Mismatch]:
    for name in sorted({*recorded, *now}):
        place = f"{path}.{name}" if path else name
        if name not in now:
            yield Mismatch(place, DifferenceKind.GONE, recorded[name], None)
        elif name not in recorded:
            yield Mismatch(place, DifferenceKind.ADDED, None, now[name])
        else:
            yield from _walk(place, recorded[name], now[name], terms)


def _list_mismatches(path: str, recorded: list[Any], now: list[Any], terms: ComparisonTerms) -> Iterator[Mismatch]:
    keys = _element_names(path, recorded, now)
    if keys is not None:
        yield from _named_mismatches(path, (keys[0], recorded), (keys[1], now), terms)
        return
    if not _is_data(path) and recorded != now and _same_in_another_order(recorded, now):
        yield Mismatch(path, DifferenceKind.ORDER, recorded, now)
        return
    if len(recorded) != len(now):
        longer = len(now) > len(recorded)
        kind = DifferenceKind.ADDED if longer and not _is_data(path) else DifferenceKind.LENGTH
        yield Mismatch(path, kind, len(recorded), len(now))
    for number, (ours, theirs) in enumerate(zip(recorded, now, strict=False)):
        yield from _walk(f"{path}.{number}", ours, theirs, terms)


NamedElements = tuple[list[Hashable], list[Any]]


def _named_mismatches(
    path: str, recorded: NamedElements, now: NamedElements, terms: ComparisonTerms
) -> Iterator[Mismatch]:
    """Compare lists whose elements have names."""
    theirs = dict(zip(*now, strict=True))
    for number, (name, element) in enumerate(zip(*recorded, strict=True)):
        if name in theirs:
            yield from _walk(f"{path}.{number}", element, theirs[name], terms)
        else:
            yield Mismatch(f"{path}.{number}", DifferenceKind.GONE, element, None)
    for number, (name, element) in enumerate(zip(*now, strict=True)):
        if name not in recorded[0]:
            yield Mismatch(f"{path}.{number}", DifferenceKind.ADDED, None, element)
    common = [name for name in recorded[0] if name in theirs]
    if common != [name for name in now[0] if name in common]:
        yield Mismatch(path, DifferenceKind.ORDER, recorded[0], now[0])


def _element_names(path: str, recorded: list[Any], now: list[Any]) -> tuple[list[Hashable], list[Hashable]] | None:
    """The names of the elements of two lists, if all names are unique; else None."""
    for name in _NAMED_LISTS.get(path, ()):
        ours, theirs = ([_element_name(element, name) for element in side] for side in (recorded, now))
        if all(None not in side and len(set(side)) == len(side) for side in (ours, theirs)):
            return list(ours), list(theirs)
    return None


def _element_name(element: Any, name: str) -> str | None:
    if not isinstance(element, dict):
        return None
    metadata = element.get("metadata")
    mismatch = (metadata if isinstance(metadata, dict) else element).get(name)
    return mismatch if isinstance(mismatch, str) else None


def _number_mismatches(path: str, recorded: float, now: float, terms: ComparisonTerms) -> Iterator[Mismatch]:
    if not same_number(recorded, now, terms):
        yield Mismatch(path, DifferenceKind.NUMBER, recorded, now)
    elif type(recorded) is not type(now):
        yield Mismatch(path, DifferenceKind.FORM, recorded, now)


def same_number(recorded: float, now: float, terms: ComparisonTerms) -> bool:
    """Whether two numbers agree: whole numbers are equal, floats are within the tolerance."""
    if recorded == now or (recorded != recorded and now != now):
        return True
    if isinstance(recorded, int) and isinstance(now, int):
        return False
    try:
        if not (math.isfinite(recorded) and math.isfinite(now)):
            return False
    except OverflowError:  # a whole number larger than any float
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


def _with_reason(answer: ComparedAnswer) -> str:
    """The status with the code and message of a refusal."""
    body = parsed(answer.body) if isinstance(answer.body, bytes) else None
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return " ".join(map(str, (answer.status, *(first[name] for name in ("code", "message") if name in first))))


def _body_text(body: Body) -> str:
    if isinstance(body, ArchiveContent):
        return f"an archive, {body.archive}"
    return body.decode("utf-8", "replace")
