"""The values of a run and the recorded values that they correspond to, learned request by request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from pytest_wml.replay.cassette.identity import Request
from pytest_wml.replay.cassette.places import Deviation, containers_of, deviations, is_container, is_name
from pytest_wml.replay.cassette.renaming import Renaming, key
from pytest_wml.replay.cassette.tape import Body
from pytest_wml.replay.cassette.varying import Varying, ignored_as, may_differ
from pytest_wml.wml.spaces import stands_for

_SHORTEST, _LEAST = 4, 10**6


class Bindings:
    """Pairs the values of one run with those of one recording.

    A generated value corresponds to one recorded value. Several spaces of a run may correspond to one recorded space.
    """

    def __init__(self) -> None:
        self._recorded: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._spaces: dict[str, str] = {}
        """The run's space or project → the recorded one."""

    def __bool__(self) -> bool:
        """Whether any value of the run differs from the recorded one."""
        return bool(self._recorded) or any(own != recorded for own, recorded in self._spaces.items())

    @cached_property
    def own(self) -> Renaming:
        """Replaces recorded values by the run's own, the latest one of each."""
        return Renaming(self._asked)

    @cached_property
    def _there(self) -> Renaming:
        """Replaces the run's values by the recorded ones."""
        return Renaming({**self._recorded, **{key(own): there for own, there in self._spaces.items()}})

    def bind(self, asked: Request, recorded: Request, found: Iterable[Deviation]) -> None:
        """Learn from a request: the values in which it differs from the recorded one, and the space that it uses."""
        for one in found:
            if not is_container(one.place) and (
                is_name(one.place) or one.recorded == ignored_as(one.place, one.recorded)
            ):
                self._bind(one.asked, one.recorded)
        for own, there in zip(containers_of(asked), containers_of(recorded), strict=False):
            if own.used and own.id not in self._spaces and stands_for(there.kind, there.id):
                self._spaces[own.id] = there.id
                self._forget()

    def _bind(self, asked: Any, recorded: Any) -> None:
        if _is_distinct(asked) and _is_distinct(recorded):
            self._recorded[key(asked)] = recorded
            self._asked[key(recorded)] = asked
            self._forget()

    def _forget(self) -> None:
        for name in ("own", "_there"):
            self.__dict__.pop(name, None)

    def conflicts(self, asked: Request, recorded: Request, found: Iterable[Deviation]) -> int | None:
        """How many values would have two partners; None where a generated value has another one already."""
        number = 0
        owners = {there: own for own, there in self._spaces.items()}
        for own, there in zip(containers_of(asked), containers_of(recorded), strict=False):
            number += self._spaces.get(own.id, there.id) != there.id
            number += owners.get(there.id, own.id) != own.id
        for one in found:
            if not is_name(one.place):
                continue
            if self._recorded.get(key(one.asked), one.recorded) != one.recorded:
                return None
            number += self._asked.get(key(one.recorded), one.asked) != one.asked
        return number

    def is_taken(self, request: Request) -> bool:
        """Whether a request names a space by a recorded id that another space of this run has been paired with."""
        own = {recorded: asked for asked, recorded in self._spaces.items()}
        return any(own.get(named.id, named.id) != named.id for named in containers_of(request)) if own else False

    def to_recorded(self, request: Request) -> Request:
        """A request with the recorded values; the same object where it holds no value of this run."""
        renaming = self._there
        path = "/".join(map(renaming.text, request.path.split("/")))
        query = tuple((name, renaming.text(value)) for name, value in request.query)
        sent = renaming.body(request.sent)
        if (path, query, sent) == (request.path, request.query, request.sent):
            return request
        return replace(request, path=path, query=tuple(sorted(query)), sent=sent)

    def answer(self, body: Body, asked: Request, recorded: Request) -> Body:
        """An answer with this run's values; of several spaces with one recorded id, that of the request."""
        own = {there: space for space, there in self._spaces.items()}
        for named, there in zip(containers_of(asked), containers_of(recorded), strict=False):
            own[there.id] = named.id
        spaces = {key(there): space for there, space in own.items() if there != space}
        renaming = Renaming({**self._asked, **spaces}) if spaces else self.own
        return renaming.body(body) if renaming else body


def _is_distinct(value: Any) -> bool:
    """Whether a value can be replaced wherever it is found: a small number may mean something else elsewhere."""
    if isinstance(value, str):
        return len(value) >= _SHORTEST
    return isinstance(value, (int, float)) and abs(value) >= _LEAST


def alike(asked: Request, recorded: Request, varying: Varying) -> list[Deviation] | None:
    """The deviations of a request from a recorded one; None where it differs in a place where it must not."""
    same = (asked.method, asked.role, asked.refusable) == (recorded.method, recorded.role, recorded.refusable)
    if not same or asked.path.count("/") != recorded.path.count("/"):
        return None
    found = []
    for one in deviations(asked, recorded):
        if not may_differ(one, varying):
            return None
        found.append(one)
    return found
