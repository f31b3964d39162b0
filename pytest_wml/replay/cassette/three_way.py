"""A three-way merge of the recordings of two branches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.cassette import Cassette
from pytest_wml.replay.cassette.continuation import other_models, together, with_oldest_date
from pytest_wml.replay.cassette.library import same_model
from pytest_wml.replay.cassette.merge import in_order
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.order import keys
from pytest_wml.replay.cassette.tape import ArchiveContent

_SHOWN = 5
_ONE_SIDE = (
    "take the recording of one side (git checkout --ours FILE, or --theirs),\n"
    "then record again what is missing: pytest --wml=embedded --wml-record (or --wml-live --wml-record)"
)

Answers = tuple[Interaction, ...]
"""To one request between two changes, in their order."""


class CannotMerge(WMLTestError):
    """Two recordings contradict each other."""


class _Side:
    """A recording by its parts.

    Args:
        cassette: of one branch, or of their common ancestor.
    """

    def __init__(self, cassette: Cassette) -> None:
        self.changes: dict[str, Interaction] = {}
        """By key: what changed the service's state, in its order."""
        self.answers: dict[tuple[str, str], Answers] = {}
        """By the key of the change before them and their identity."""
        after = ""
        for one, key in zip(cassette.interactions, keys(cassette.interactions), strict=True):
            dated = replace(one, origin=cassette.origin(one))
            if key:
                self.changes[key] = dated
                after = key
            else:
                place = after, one.identity
                self.answers[place] = (*self.answers.get(place, ()), dated)


def three_way(base: Cassette, ours: Cassette, theirs: Cassette) -> Cassette:
    """What both recordings hold, less what either has removed.

    Args:
        base: what both were made of; without interactions where there is none.
        ours: of the branch that is checked out; the result has its name.
        theirs: of the branch that is merged into it.

    Raises:
        CannotMerge: they are of different models, or both changed the same in different ways.
    """
    base, ours, theirs = map(with_oldest_date, (base, ours, theirs))
    models = other_models(ours, theirs)
    if models and _unchanged(base, ours):
        return replace(theirs, name=ours.name)
    if models and _unchanged(base, theirs):
        return ours
    if models:
        raise CannotMerge(
            f"The two recordings of {ours.name} are of different models; no merge makes one recording of them.",
            ours=models[0].model,
            theirs=models[1].model,
            fix=_ONE_SIDE,
        )
    merge = _Merge(_Side(base), _Side(ours), _Side(theirs))
    interactions = tuple(merge.interactions())
    if merge.conflicts:
        more = f"\nand {len(merge.conflicts) - _SHOWN} more" if len(merge.conflicts) > _SHOWN else ""
        raise CannotMerge(
            f"The two recordings of {ours.name} contradict each other.",
            conflicts="\n".join(merge.conflicts[:_SHOWN]) + more,
            fix=_ONE_SIDE,
        )
    return Cassette(ours.name, _metadata(base.metadata, ours.metadata, theirs.metadata), interactions)


def _unchanged(base: Cassette, side: Cassette) -> bool:
    return base.interactions == side.interactions and not other_models(base, side)


class _Merge:
    """The merge of two sides; what they contradict each other in is collected."""

    def __init__(self, base: _Side, ours: _Side, theirs: _Side) -> None:
        self._base, self._ours, self._theirs = base, ours, theirs
        self.conflicts: list[str] = []

    def interactions(self) -> Iterator[Interaction]:
        """Yield the interactions of both sides."""
        changes = self._changes()
        answers: dict[str, dict[str, list[Interaction]]] = {"": {}, **{key: {} for key in changes}}
        for place in {**self._ours.answers, **self._theirs.answers}:
            found = self._answers(place)
            after, identity = place
            if after in answers:
                answers[after] |= {identity: list(found)} if found else {}
            elif found:
                self.conflicts.append(f"one side added {found[0].request}, the other removed the change before it")
        yield from in_order(answers[""])
        for key, change in changes.items():
            yield change
            yield from in_order(answers[key])

    def _changes(self) -> dict[str, Interaction]:
        """The changes of both sides, by key: theirs stand behind the change that precedes them there."""
        ours, theirs = list(self._ours.changes), list(self._theirs.changes)
        if [key for key in ours if key in theirs] != [key for key in theirs if key in ours]:
            self.conflicts.append("the two sides changed the state of the service in different orders")
        stays = {key: one for key in (*ours, *theirs) if (one := self._change(key))}
        order, place = [key for key in ours if key in stays], 0
        for key in theirs:
            if key in stays and key not in order:
                order.insert(place, key)
            place = order.index(key) + 1 if key in order else place
        return {key: stays[key] for key in order}

    def _change(self, key: str) -> Interaction | None:
        sides = (self._base, self._ours, self._theirs)
        base, ours, theirs = (((one,) if (one := side.changes.get(key)) else ()) for side in sides)
        return next(iter(self._resolved(base, ours, theirs)), None)

    def _answers(self, place: tuple[str, str]) -> Answers:
        return self._resolved(*(side.answers.get(place, ()) for side in (self._base, self._ours, self._theirs)))

    def _resolved(self, base: Answers, ours: Answers, theirs: Answers) -> Answers:
        """What stays of the answers to one request."""
        if ours == theirs:
            return tuple(max(pair, key=_date) for pair in zip(ours, theirs, strict=True))
        if theirs == base or _alike(ours, theirs):
            return ours
        if ours == base:
            return theirs
        # Who looked more often saw more states.
        for few, many in ((ours, theirs), (theirs, ours)):
            if few and all(one in many for one in few):
                return many
        what = "recorded different answers to" if ours and theirs else "removed and recorded again"
        self.conflicts.append(f"the two sides {what} {(ours or theirs)[0].request}")
        return ours


def _date(one: Interaction) -> str:
    return one.origin.recorded_at if one.origin else ""


def _alike(ours: Answers, theirs: Answers) -> bool:
    """Whether both uploaded the same model, each in an archive of its own."""
    if len(ours) != 1 or len(theirs) != 1:
        return False
    mine, other = ours[0].body, theirs[0].body
    uploads = isinstance(mine, ArchiveContent) and isinstance(other, ArchiveContent) and same_model(mine, other)
    return uploads and replace(ours[0], body=other) == theirs[0]


def _metadata(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """The facts of the whole; of two new dates the later one, since each interaction of another date says so itself."""
    found = {}
    for name in {**ours, **theirs}:
        first, mine, other = (side.get(name) for side in (base, ours, theirs))
        found[name] = other if mine == first else mine
        if name == "recorded_at" and first not in (mine, other):
            found[name] = max(str(mine or ""), str(other or ""))
        if name == "ignored" and first not in (mine, other):
            found[name] = together(mine, other)
    return {name: fact for name, fact in found.items() if fact is not None}
