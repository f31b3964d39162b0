"""Interactions of several xdist workers, or of an older file, as one recording in one order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pytest_wml.cassette.normalise import Interaction

Key = tuple[str, int]
"""An identity and which of its changes: the first, the second …"""


def merged(shards: Iterable[Sequence[Interaction]]) -> tuple[Interaction, ...]:
    """What the shards hold together, in an order that does not depend on who recorded what.

    Changes keep the order in which they were made; what was read or scored between two changes is sorted.
    An answer that only repeats the one before it is left out: the last one is played again and again.
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
    ordered = [*_sorted(answers[None])]
    for key, change in changes:
        ordered += [change, *_sorted(answers[key])]
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
            distinct = [
                interaction
                for number, interaction in enumerate(sequence)
                if number == 0 or not _same_answer(interaction, sequence[number - 1])
            ]
            if len(distinct) > len(answers[after].get(identity, ())):
                answers[after][identity] = distinct


def _same_answer(one: Interaction, other: Interaction) -> bool:
    """Whether two requests of one identity were answered alike, however each was written by its client."""
    return (one.status, one.answer_type, one.answer) == (other.status, other.answer_type, other.answer)


def _sorted(group: dict[str, list[Interaction]]) -> Iterable[Interaction]:
    def order(identity: str) -> tuple[str, str, str, str]:
        first = group[identity][0]
        return first.role.value, first.path, first.method, identity

    for identity in sorted(group, key=order):
        yield from group[identity]
