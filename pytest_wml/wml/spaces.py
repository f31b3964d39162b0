"""Deployment spaces and projects: the default space, and the ids that recordings hold in place of a user's own."""

from __future__ import annotations

import re
from typing import Literal

DEFAULT_SPACE_ID = "5ace0000-0000-4000-8000-000000000000"
"""Fixed, so that recordings made in different runs name the same space."""

SpaceKind = Literal["space", "project"]
_FIRST: dict[SpaceKind, str] = {"space": DEFAULT_SPACE_ID, "project": "9f0ec700-0000-4000-8000-000000000000"}
ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""The form of an id, as a pattern."""


def is_id(text: str) -> bool:
    """Whether a text has the form of a space's id."""
    return bool(re.fullmatch(ID, text))


def recorded_as(kind: SpaceKind, number: int = 1) -> str:
    """The id that a recording holds for a user's first, second … space or project."""
    return f"{_FIRST[kind][:24]}{number - 1:012x}"


def stands_for(kind: SpaceKind, recorded: str) -> int:
    """The number of the user's space or project that a recorded id stands for, from 1; 0 for none."""
    number = recorded[24:]
    same = recorded[:24] == _FIRST[kind][:24] and len(number) == 12 and re.fullmatch("[0-9a-f]+", number)
    return int(number, 16) + 1 if same else 0
