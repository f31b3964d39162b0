"""Interactions of several xdist workers, or of an older file, as one recording in one order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.tape import ArchiveContent

_DEPLOYMENTS = "/ml/v4/deployments"
_PASSING = {"initializing", "updating", "DEPLOY_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
Key = tuple[str, int]
"""An identity and which of its changes: the first, the second …"""


def merged(shards: Iterable[Sequence[Interaction]]) -> tuple[Interaction, ...]:
    """What the shards hold together, in an order that does not depend on who recorded what.

    Changes keep the order in which they were made; what was read or scored between two changes is sorted.
    An answer that only repeats the one before it is left out: the last one is played again and again. So is that of
    a deployment which is not loaded yet, where a later one says what became of it: how often a client looked, and
    how long the load took, differs from day to day.
    """
    changes: list[tuple[Key, Interaction]] = []
    answers: dict[Key | None, dict[str, list[Interaction]]] = defaultdict(dict)
    for shard in shards:
        after: Key | None = None
        made: dict[str, int] = defaultdict(int)
        groups: dict[Key | None, dict[str, list[Interaction]]] = defaultdict(lambda: defaultdict(list))
        place = 0
        for interaction in shard:
            if interaction.mutates:
                key = interaction.identity, made[interaction.identity]
                made[interaction.identity] += 1
                place = _insert(changes, key, interaction, place)
                after = key
            else:
                groups[after][interaction.identity].append(interaction)
        _keep_longest(answers, groups)
    ordered = [*in_order(answers[None])]
    for key, change in changes:
        ordered += [change, *in_order(answers[key])]
    return tuple(ordered)


def _insert(changes: list[tuple[Key, Interaction]], key: Key, interaction: Interaction, place: int) -> int:
    """Put a change behind the one before it, unless another shard brought it; the place behind it."""
    for number, (known, _) in enumerate(changes):
        if known == key:
            return number + 1
    changes.insert(place, (key, interaction))
    return place + 1


def _keep_longest(
    answers: dict[Key | None, dict[str, list[Interaction]]],
    groups: dict[Key | None, dict[str, list[Interaction]]],
) -> None:
    for after, group in groups.items():
        for identity, sequence in group.items():
            distinct = _distinct(sequence)
            if len(distinct) > len(answers[after].get(identity, ())):
                answers[after][identity] = distinct


def _distinct(sequence: Sequence[Interaction]) -> list[Interaction]:
    """The answers to one request, without repetitions and polls."""
    lasting = [one for one in sequence[:-1] if not _is_a_poll(one)] + [sequence[-1]]
    return [one for number, one in enumerate(lasting) if number == 0 or not _same_answer(one, lasting[number - 1])]


def _is_a_poll(interaction: Interaction) -> bool:
    """Whether the answer shows a deployment that is not loaded yet."""
    if interaction.method != "GET" or not interaction.path.startswith(_DEPLOYMENTS):
        return False
    if isinstance(interaction.answer, ArchiveContent):
        return False
    answer = parsed(interaction.answer)
    listed = answer.get("resources") if isinstance(answer, dict) else None
    return any(_state(one) in _PASSING for one in (answer, *(listed if isinstance(listed, list) else ())))


def _state(deployment: Any) -> Any:
    for name in ("entity", "status", "state"):
        deployment = deployment.get(name) if isinstance(deployment, dict) else None
    return deployment if isinstance(deployment, str) else None


def _same_answer(one: Interaction, other: Interaction) -> bool:
    """Whether two requests of one identity were answered alike, however each was written by its client."""
    return (one.status, one.answer_type, one.answer) == (other.status, other.answer_type, other.answer)


def in_order(group: dict[str, list[Interaction]]) -> Iterator[Interaction]:
    """Yield what was read and scored between two changes, sorted; several answers to one request in their own order."""

    def order(identity: str) -> tuple[str, str, str, str]:
        first = group[identity][0]
        return first.role.value, first.path, first.method, identity

    for identity in sorted(group, key=order):
        yield from group[identity]
