"""The order of interactions as facts of each of them, so that lines of a file can be merged and a loss is noticed.

An interaction names the change of the service's state after which it was recorded and, if a request has several answers
between two changes, which of them it is. No fact is about the file as a whole: two branches change none in common.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pytest_wml.replay.cassette.normalise import Interaction

_KEY_LENGTH = 16


class OutOfOrder(Exception):
    """Interactions are missing, or contradict each other."""


class OrderPlace(NamedTuple):
    """Where an interaction stands among the others.

    Args:
        after: key of the last change before it; empty before the first change.
        turn: which of the answers to the same request between two changes, from 1.
        turns: how many of these there are.
    """

    after: str = ""
    turn: int = 1
    turns: int = 1


def keys(interactions: Iterable[Interaction]) -> Iterator[str]:
    """Yield for each interaction the key of the change that it is; empty for one that changes nothing."""
    made: Counter[str] = Counter()
    for one in interactions:
        yield _key(one, made) if one.mutates else ""


def _key(change: Interaction, made: Counter[str]) -> str:
    made[change.identity] += 1
    number = f".{made[change.identity]}" if made[change.identity] > 1 else ""
    return change.identity[:_KEY_LENGTH] + number


def places(interactions: Sequence[Interaction]) -> list[OrderPlace]:
    """The place of each interaction, in the same order."""
    afters, after = [], ""
    for key in keys(interactions):
        afters.append(after)
        after = key or after
    answers = [(after, "" if one.mutates else one.identity) for after, one in zip(afters, interactions, strict=True)]
    turns, seen = Counter(answers), Counter[tuple[str, str]]()
    found = []
    for answer in answers:
        seen[answer] += 1
        found.append(OrderPlace(answer[0], seen[answer], turns[answer]) if answer[1] else OrderPlace(answer[0]))
    return found


def arranged(placed: Iterable[tuple[Interaction, OrderPlace]]) -> tuple[Interaction, ...]:
    """The interactions in the order that their places say, whatever the order in which they come.

    Raises:
        OutOfOrder: one is missing, or two contradict each other.
    """
    changes: dict[str, Interaction] = {}
    answers: dict[str, list[tuple[Interaction, OrderPlace]]] = defaultdict(list)
    for one, place in placed:
        if not one.mutates:
            answers[place.after].append((one, place))
        elif changes.setdefault(place.after, one) != one:
            raise OutOfOrder(
                f"two changes were recorded at the same point: {changes[place.after].request}, {one.request}"
            )
    ordered = _sequence(answers.pop("", []))
    for key, change in _chain(changes):
        ordered += [change, *_sequence(answers.pop(key, []))]
    for lost in answers.values():
        raise OutOfOrder(f"the change is missing after which this was recorded: {lost[0][0].request}")
    return tuple(ordered)


def _chain(changes: dict[str, Interaction]) -> Iterator[tuple[str, Interaction]]:
    """Yield the changes in their order, each with its key.

    Args:
        changes: by the key of the change before it.
    """
    made: Counter[str] = Counter()
    left, key = dict(changes), ""
    while key in left:
        change = left.pop(key)
        key = _key(change, made)
        yield key, change
    for lost in left.values():
        raise OutOfOrder(f"the change is missing after which this was recorded: {lost.request}")


def _sequence(answers: list[tuple[Interaction, OrderPlace]]) -> list[Interaction]:
    """What was read and scored between two changes; several answers to one request in the order of their turns."""
    known: dict[str, dict[int, Interaction]] = defaultdict(dict)
    for one, place in answers:
        if known[one.identity].setdefault(place.turn, one) != one:
            raise OutOfOrder(f"two different answers were recorded to {one.request}")
    for one, place in answers:
        if len(known[one.identity]) != place.turns or place.turn > place.turns:
            raise OutOfOrder(f"of {place.turns} answers to {one.request} {len(known[one.identity])} are there")
    left = {identity: [turns[turn] for turn in sorted(turns)] for identity, turns in known.items()}
    return [left[one.identity].pop(0) for one, _ in answers if left[one.identity]]
