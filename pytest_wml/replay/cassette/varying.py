"""In what a request may differ from the recorded one that answers it.

Generated values in names and descriptions; the deployment space and the project of the user; the places that the option
`wml_ignore` names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pytest_wml.config.json_paths import JsonPath, JsonPaths, Place, written
from pytest_wml.config.json_paths import parsed as paths_of
from pytest_wml.replay.cassette import generated
from pytest_wml.replay.cassette.identity import Request, parsed
from pytest_wml.replay.cassette.places import (
    ABSENT,
    CONTAINERS,
    ROWS,
    Deviation,
    below,
    deviations,
    is_container,
    is_name,
    leaves,
)
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.wml.spaces import is_id, stands_for

_NUMBERS_OF_A_RUN = (
    *("GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_SHA", "CI_PIPELINE_ID", "CI_PIPELINE_IID", "CI_JOB_ID"),
    *("CI_COMMIT_SHA", "CI_COMMIT_SHORT_SHA", "BUILD_NUMBER", "BUILD_ID", "BUILD_BUILDID", "GIT_COMMIT"),
    *("CIRCLE_BUILD_NUM", "CIRCLE_SHA1", "TRAVIS_BUILD_NUMBER", "TRAVIS_BUILD_ID", "TRAVIS_COMMIT"),
    *("BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", "BUILDKITE_BUILD_NUMBER", "BUILDKITE_COMMIT"),
    *("DRONE_BUILD_NUMBER", "DRONE_COMMIT_SHA", "PIPELINE_RUN_ID", "APPVEYOR_BUILD_NUMBER", "TEAMCITY_BUILD_ID"),
)
"""Variables of GitHub, GitLab, Jenkins, Azure, CircleCI, Travis, Bitbucket, Buildkite, Drone, Tekton and others."""


@dataclass(frozen=True)
class Varying:
    """What may differ in a run, besides what is recognised by its form.

    Args:
        ignored: places in bodies that are not compared.
        words: numbers of this CI run, from the environment.
    """

    ignored: JsonPaths = field(default_factory=JsonPaths)
    words: frozenset[str] = frozenset()

    def also(self, ignored: object) -> Varying:
        """With the paths that a recording notes in its metadata."""
        if not isinstance(ignored, list):
            return self
        try:
            noted = paths_of("\n".join(map(str, ignored)))
        except ValueError:  # changed by hand: nothing is ignored for it
            return self
        return replace(self, ignored=JsonPaths(dict.fromkeys([*self.ignored, *noted])))

    def blanked(self, body: bytes) -> bytes:
        """A body with a constant at each place that is ignored."""
        value = parsed(body) if self.ignored else None
        if value is None:
            return body
        try:
            blank = without_ignored(value, self.ignored)
        except RecursionError:
            return body
        return body if blank == value else json.dumps(blank, ensure_ascii=False).encode("utf-8", "surrogatepass")


def words_of(environ: Mapping[str, str]) -> frozenset[str]:
    """The numbers of the CI run that the environment names; not a single digit, which many names hold."""
    values = (environ.get(name, "") for name in _NUMBERS_OF_A_RUN)
    return frozenset(value for value in values if len(value) > 1 and value.isalnum() and not value.isalpha())


def may_differ(one: Deviation, varying: Varying) -> bool:
    """Whether the same request of two runs may differ so."""
    if is_container(one.place):
        kind = CONTAINERS[str(one.place[-1])]
        texts = isinstance(one.asked, str) and isinstance(one.recorded, str)
        return texts and is_id(one.asked) and stands_for(kind, one.recorded) > 0
    if one.place[0] == "$" and varying.ignored.cover(one.place):
        return True
    if not is_name(one.place):
        return False
    return generated.alike(one.asked, one.recorded, varying.words)


def without_ignored(value: Any, ignored: JsonPaths, place: Place = ("$",)) -> Any:
    """A JSON value with a constant at each place that is ignored."""
    if len(place) > 1 and ignored.cover(place):
        return ignored_as(place, value)
    if isinstance(value, dict):
        return {name: without_ignored(member, ignored, below(place, value, name)) for name, member in value.items()}
    if isinstance(value, list):
        return [without_ignored(member, ignored, (*place, number)) for number, member in enumerate(value)]
    return value


def ignored_in(bodies: Iterable[Body], ignored: Iterable[JsonPath]) -> list[str]:
    """The paths that match a place in any of the bodies."""
    left = dict.fromkeys(ignored)
    found: dict[str, None] = {}
    for body in bodies:
        value = parsed(body) if left and not isinstance(body, ArchiveContent) else None
        for place, _ in leaves(value):
            for path in [path for path in left if path.covers(place)]:
                found[path.text] = left.pop(path)
    return sorted(found)


_IN_AN_ANSWER = frozenset({"entity", "metadata", "resources"})


def answer_without_ignored(value: Any, ignored: JsonPaths, place: Place = ("$",)) -> Any:
    """An answer with a constant where it repeats a value that is ignored: `entity.custom` for `custom`."""
    if len(place) > 1 and ignored.cover(place):
        return ignored_as(place, value)
    if isinstance(value, dict):
        return {
            name: answer_without_ignored(member, ignored, place if name in _IN_AN_ANSWER else (*place, name))
            for name, member in value.items()
        }
    if isinstance(value, list) and len(place) == 1:
        return [answer_without_ignored(member, ignored, place) for member in value]
    if isinstance(value, list):
        return [answer_without_ignored(member, ignored, (*place, number)) for number, member in enumerate(value)]
    return value


def ignored_as(place: Place, value: Any) -> Any:
    """The constant that a recording holds at a place that is ignored, of the value's type."""
    if isinstance(value, dict):
        return {}
    if isinstance(value, list):
        return []
    in_rows = bool(ROWS.intersection(map(str, place)))
    if isinstance(value, str):
        return "ignored" if in_rows else f"ignored {written(place)}"
    if isinstance(value, bool) or value is None:
        return False if value is not None else None
    distinct = 700_000_000 + int.from_bytes(hashlib.sha256(written(place).encode()).digest()[:3])
    return cast(Any, type(value))(0 if in_rows else distinct)


def aligned(asked: Request, recorded: Request, varying: Varying) -> Request:
    """A request with the recorded value in each place that may differ; what still differs is why it is unanswered."""
    bodies: list[Deviation] = []
    path, query = asked.path, dict(asked.query)
    for one in deviations(asked, recorded):
        if not may_differ(one, varying):
            continue
        if one.place[0] == "path":
            path = path.replace(f"/{one.asked}", f"/{one.recorded}")
        elif one.place[0] == "query":
            query[str(one.place[1])] = one.recorded
        else:
            bodies.append(one)
    sent = _with(asked, bodies) if bodies else asked.sent
    return replace(asked, path=path, query=tuple(sorted(query.items())), sent=sent)


def _with(asked: Request, places: list[Deviation]) -> bytes:
    recorded = {one.place: one.recorded for one in places}
    value = _put(json.loads(asked.body), recorded, ("$",))
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _put(value: Any, recorded: Mapping[Place, Any], place: Place) -> Any:
    if place in recorded:
        return recorded[place]
    if isinstance(value, dict):
        put = {name: _put(member, recorded, below(place, value, name)) for name, member in value.items()}
        missing = {str(place_[-1]): known for place_, known in recorded.items() if place_[:-1] == place}
        return {name: member for name, member in {**missing, **put}.items() if member is not ABSENT}
    if isinstance(value, list):
        return [_put(member, recorded, (*place, number)) for number, member in enumerate(value)]
    return value
