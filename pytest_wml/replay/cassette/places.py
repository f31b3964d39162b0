"""Places in requests, and what stands in them: names, spaces and projects, a model's rows."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_wml.config.json_paths import Place
from pytest_wml.replay.cassette.identity import Request
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.wml.spaces import ID, SpaceKind

NAMES = frozenset({"name", "description", "serving_name", "query", "search", "tag.value", "tags"})
"""Members and parameters that hold a user's own words."""
_OWN_WORDS = frozenset({"tags", "custom"})
"""Members in which every text is a user's own."""
ROWS = frozenset({"input_data", "scoring"})
"""Members that hold a model's data: nothing in them is a name."""
_DEEPEST = 100

CONTAINERS: dict[str, SpaceKind] = {
    "space_id": "space",
    "project_id": "project",
    "spaces": "space",
    "projects": "project",
}
_NAMED = re.compile(
    rf'/v2/(?P<looked>spaces|projects)/(?P<id>{ID})|(?<![\w])(?P<used>space_id|project_id)(?:=|":\s*")(?P<other>{ID})'
)


class NamedContainer(NamedTuple):
    """A space or a project that a request names.

    Args:
        used: whether the request works in it; otherwise it only reads it.
    """

    kind: SpaceKind
    id: str
    used: bool


def containers(path: str, query: str, body: Body) -> Iterator[NamedContainer]:
    """Yield the spaces and projects that a request names."""
    text = "" if isinstance(body, ArchiveContent) or path.endswith("/predictions") else body.decode("utf-8", "replace")
    for found in _NAMED.finditer(f"{path}?{query} {text}"):
        yield NamedContainer(
            CONTAINERS[found["looked"] or found["used"]], found["id"] or found["other"], bool(found["used"])
        )


def containers_of(request: Request) -> tuple[NamedContainer, ...]:
    """The spaces and projects that a request names."""
    return _containers(request.path, request.query, request.sent)


# Asked several times for each request that is replayed.
@functools.lru_cache(maxsize=64)
def _containers(path: str, query: tuple[tuple[str, str], ...], body: Body) -> tuple[NamedContainer, ...]:
    return tuple(containers(path, "&".join(f"{name}={value}" for name, value in query), body))


class Deviation(NamedTuple):
    """A place in which two requests differ."""

    place: Place
    asked: Any
    recorded: Any


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


def deviations(asked: Request, recorded: Request) -> Iterator[Deviation]:
    """Yield the places in which two requests for one path differ; a path of other depth differs as a whole."""
    ours, theirs = asked.path.split("/"), recorded.path.split("/")
    if len(ours) != len(theirs):
        yield Deviation(("path",), asked.path, recorded.path)
    else:
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            if one != other:
                yield Deviation(("path", ours[number - 1]), one, other)
    queries = dict(asked.query), dict(recorded.query)
    for name in sorted({*queries[0], *queries[1]}):
        found = Deviation(("query", name), queries[0].get(name, ABSENT), queries[1].get(name, ABSENT))
        if found.asked != found.recorded:
            yield found
    if asked.body != recorded.body:
        yield from _of_bodies(asked.body, recorded.body)


def _of_bodies(asked: str, recorded: str) -> Iterator[Deviation]:
    try:
        values = json.loads(asked or "null"), json.loads(recorded or "null")
        found = list(_deviations(("$",), *values))
    except (ValueError, RecursionError):
        found = [Deviation(("$",), asked, recorded)]
    yield from found


def _deviations(place: Place, asked: Any, recorded: Any) -> Iterator[Deviation]:
    if isinstance(asked, dict) and isinstance(recorded, dict):
        for name in sorted({*asked, *recorded}):
            yield from _deviations(below(place, asked, name), asked.get(name, ABSENT), recorded.get(name, ABSENT))
    elif isinstance(asked, list) and isinstance(recorded, list) and len(asked) == len(recorded):
        for number, (one, other) in enumerate(zip(asked, recorded, strict=True)):
            yield from _deviations((*place, number), one, other)
    elif asked != recorded or type(asked) is not type(recorded):
        yield Deviation(place, asked, recorded)


def below(place: Place, value: Mapping[str, Any], name: str) -> Place:
    """The place of a member; the value of a JSON patch has the place that the patch changes."""
    path = value.get("path")
    if name == "value" and "op" in value and isinstance(path, str):
        return ("$", *path.strip("/").split("/"))
    return (*place, name)


def is_container(place: Place) -> bool:
    """Whether a place names a space or a project."""
    return str(place[-1]) in CONTAINERS


def is_name(place: Place) -> bool:
    """Whether a place holds a user's own words."""
    if place[0] == "query":
        return place[-1] in NAMES
    names = [part for part in place[1:] if isinstance(part, str)]
    if place[0] != "$" or not names or ROWS.intersection(names):
        return False
    return names[-1] in NAMES or bool(_OWN_WORDS.intersection(names))


def leaves(value: Any, place: Place = ("$",)) -> Iterator[tuple[Place, Any]]:
    """Yield every value in a JSON value that is not an object or a list, with its place; none from 100 levels down."""
    if len(place) > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, below(place, value, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, (*place, number))
    else:
        yield place, value
