"""How far two JSON values are apart: first in their structure, then in what stands in it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Distance(NamedTuple):
    """How far two values are apart; what is less is nearer.

    Args:
        structure: number of scalars that the other value has no place for.
        values: sum over all places that both have, of 0 (equal) to 1.
    """

    structure: int = 0
    values: float = 0.0

    def plus(self, other: Distance) -> Distance:
        """Both together."""
        return Distance(self.structure + other.structure, self.values + other.values)


def distance(ours: Any, theirs: Any) -> Distance:
    """How far two values are apart that `json.loads` returned; 0 and 0.0 for equal ones, where 1 equals 1.0.

    Raises:
        RecursionError: they are nested too deeply.
    """
    if ours == theirs:
        return Distance()
    if isinstance(ours, list) and isinstance(theirs, list):
        return _of_lists(ours, theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return _of_objects(ours, theirs)
    if isinstance(ours, (dict, list)) or isinstance(theirs, (dict, list)):
        return Distance(_scalars(ours) + _scalars(theirs))
    return Distance(0, _of_scalars(ours, theirs))


def _of_lists(ours: list[Any], theirs: list[Any]) -> Distance:
    structure, values = 0, 0.0
    for mine, other in zip(ours, theirs, strict=False):
        if type(mine) is float and type(other) is float:  # most places of most payloads
            values += abs(mine - other) / (1 + max(abs(mine), abs(other))) if mine != other else 0.0
        else:
            apart = distance(mine, other)
            structure += apart.structure
            values += apart.values
    shared = min(len(ours), len(theirs))
    surplus = sum(map(_scalars, ours[shared:])) + sum(map(_scalars, theirs[shared:]))
    return Distance(structure + surplus, values)


def _of_objects(ours: dict[str, Any], theirs: dict[str, Any]) -> Distance:
    total = Distance(sum(_scalars({**ours, **theirs}[name]) for name in ours.keys() ^ theirs.keys()))
    for name in ours.keys() & theirs.keys():
        total = total.plus(distance(ours[name], theirs[name]))
    return total


def _scalars(value: Any) -> int:
    """The scalars in a value; at least 1."""
    if isinstance(value, dict):
        return max(1, sum(map(_scalars, value.values())))
    if isinstance(value, list):
        return max(1, sum(_scalars(member) if isinstance(member, (dict, list)) else 1 for member in value))
    return 1


def _of_scalars(mine: Any, other: Any) -> float:
    """From 0 for equal scalars to 1: numbers by their difference, texts by how much they share at both ends."""
    if isinstance(mine, str) and isinstance(other, str):
        shared = common_prefix(mine, other)
        rest = common_prefix(mine[shared:][::-1], other[shared:][::-1])
        return 1 - (shared + rest) / max(len(mine), len(other))
    if _is_number(mine) and _is_number(other):
        apart = abs(mine - other)
        return float(apart / (1 + max(abs(mine), abs(other)))) if apart < float("inf") else 1.0
    return 1.0


def common_prefix(mine: str, other: str) -> int:
    """How many characters two texts share at their beginning."""
    pairs = enumerate(zip(mine, other, strict=False))
    return next((number for number, (one, two) in pairs if one != two), min(len(mine), len(other)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
