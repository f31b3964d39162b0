"""Names that resemble one that was mistyped: option names, values, files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_LONGEST = 60
_SHOWN_FILES = 3
_MOST_ENTRIES = 2000
"""Entries of one folder that are compared."""
_LETTERS = 4
"""Words that are shorter resemble too many others."""


def closest(word: str, known: Iterable[str]) -> str:
    """The known name that a word resembles most; empty where it resembles none."""
    import difflib  # only an error needs it

    by_form = {_form(name): name for name in reversed([*known])}
    form = _form(word)[:_LONGEST]
    found = difflib.get_close_matches(form, by_form, cutoff=0.6)
    # Of those as near as each other the one with the same letters: `modle` is `model` rather than `mode`.
    return by_form[min(found, key=lambda each: (_slips(form, each), sorted(form) != sorted(each)))] if found else ""


def is_slip(word: str, name: str) -> bool:
    """Whether a word is a known name with a slip of typing, and hardly another word.

    That is: other case or separators; one letter too many, too few or swapped with the next; from five letters on one
    wrong letter, and from eight on two slips.
    """
    one, two = _form(word), _form(name)
    shorter = min(len(one), len(two))
    if one == two:
        return True
    if shorter < _LETTERS or abs(len(one) - len(two)) > 2:
        return False
    slips = _slips(one, two)
    replaced = slips == 1 and len(one) == len(two) and sorted(one) != sorted(two)
    return slips <= (2 if shorter >= 2 * _LETTERS else 1) and not (replaced and shorter <= _LETTERS)


def files(path: Path | str) -> str:
    """Files that resemble one that is not there, at most three, separated by commas; empty where none does.

    They have a similar name, or the same name with another ending, in the same folder; or the same name one folder
    further down or up.
    """
    missing = Path(path)
    if os.path.lexists(missing):
        return ""
    found = dict.fromkeys(str(each) for each in _resembling(missing) if each.exists())
    return ", ".join(list(found)[:_SHOWN_FILES])


def _form(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _slips(one: str, two: str) -> int:
    """How many letters to insert, remove, replace or swap with the next (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        above, row, earlier = row, [i], before
        for j, other in enumerate(two, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]


def _resembling(missing: Path) -> Iterator[Path]:
    folder = next((parent for parent in missing.parents if parent.is_dir()), None)
    if folder is None:
        return
    wrong, *rest = missing.relative_to(folder).parts
    names = _names(folder)
    for name in _similar(wrong, names):
        yield Path(folder, name, *rest)
    yield from (folder / name / missing.name for name in names)
    yield folder.parent / missing.name
    yield folder / missing.name


def _similar(wrong: str, names: Iterable[str]) -> Iterator[str]:
    import difflib

    names = list(names)
    yield from difflib.get_close_matches(wrong, names, n=_SHOWN_FILES, cutoff=0.75)
    yield from (name for name in names if _stem(name) == _stem(wrong))


def _stem(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0] or name


def _names(folder: Path) -> list[str]:
    found: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                found.append(entry.name)
            if len(found) >= _MOST_ENTRIES:
                break
    return sorted(found)
