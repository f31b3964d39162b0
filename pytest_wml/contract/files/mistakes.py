"""What is wrong in a contract file, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.config import similar_names
from pytest_wml.errors import WMLTestError

_SHOWN = 20
_LONGEST = 60


class Place(NamedTuple):
    """Where something stands in a file; both count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Mistake(NamedTuple):
    """What is wrong at a place."""

    place: Place
    text: str


class Mistakes(Exception):
    """A part of a file cannot be used.

    Args:
        found: one or more.
    """

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = tuple(found)
        super().__init__(*self.found)


class BadContractFile(WMLTestError):
    """A contract file cannot be used; every mistake in it is told with line and column."""


def mistake(place: Place, text: str) -> Mistakes:
    """A single one."""
    return Mistakes([Mistake(place, text)])


def all_of(reads: Iterable[Callable[[], Any]]) -> Iterator[Any]:
    """Yield what each gives.

    Raises:
        Mistakes: those of all of them, at the end.
    """
    found: list[Mistake] = []
    for read in reads:
        try:
            yield read()
        except Mistakes as more:
            found += more.found
    if found:
        raise Mistakes(found)


def refused(path: Path | str, found: Iterable[Mistake]) -> BadContractFile:
    """The error for a file."""
    ordered = sorted(set(found))
    facts: dict[str, str] = {}
    for one in ordered[:_SHOWN]:
        facts[str(one.place)] = f"{facts[str(one.place)]}\n{one.text}" if str(one.place) in facts else one.text
    if len(ordered) > _SHOWN:
        facts["more"] = f"{len(ordered) - _SHOWN} further mistakes"
    number = "a mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return BadContractFile(f"The contract {path} has {number}.", **facts)


def shown(text: str) -> str:
    """A piece of the file in a message: one short line without what moves a terminal's cursor."""
    plain = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[: _LONGEST + 1])
    return f"`{plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + '…'}`"


def unknown(told: str, word: str, known: Iterable[str]) -> str:
    """That a word is not known, which one resembles it, and which are accepted."""
    accepted = list(known)
    meant = similar_names.closest(word, accepted)
    hint = f" did you mean `{meant}`?" if meant else ""
    return f"{told} is not known here;{hint} accepted: {', '.join(accepted)}"
