"""Mistakes in a contract file, with line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.config import similar_names
from pytest_wml.errors import WMLTestError

_SHOWN = 20
_LONGEST = 60


class Place(NamedTuple):
    """A position in a file; line and column count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Mistake(NamedTuple):
    """A mistake at a position."""

    place: Place
    text: str


class Mistakes(Exception):
    """A part of a contract file has mistakes.

    Args:
        found: at least one mistake.
    """

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = tuple(found)
        super().__init__(*self.found)


class BadContractFile(WMLTestError):
    """A contract file has mistakes; the message lists all of them with line and column."""


def mistake(place: Place, text: str) -> Mistakes:
    """A single mistake as an exception."""
    return Mistakes([Mistake(place, text)])


def read_all(reads: Iterable[Callable[[], Any]]) -> Iterator[Any]:
    """Yield the value of each reader.

    Raises:
        Mistakes: the mistakes of all readers, after the last one.
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
    """The error that lists the mistakes of a file."""
    ordered = sorted(set(found))
    facts: dict[str, str] = {}
    for one in ordered[:_SHOWN]:
        facts[str(one.place)] = f"{facts[str(one.place)]}\n{one.text}" if str(one.place) in facts else one.text
    if len(ordered) > _SHOWN:
        facts["more"] = f"{len(ordered) - _SHOWN} further mistakes"
    number = "a mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return BadContractFile(f"The contract {path} has {number}.", **facts)


def shown(text: str) -> str:
    """Quote a text of the file for a message: one short line without terminal control characters."""
    plain = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[: _LONGEST + 1])
    return f"`{plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + '…'}`"


def unknown_word(description: str, word: str, known: Iterable[str]) -> str:
    """A message about an unknown word, with the most similar word and the accepted ones."""
    accepted = list(known)
    meant = similar_names.closest(word, accepted)
    hint = f" did you mean `{meant}`?" if meant else ""
    return f"{description} is unknown here;{hint} accepted: {', '.join(accepted)}"
