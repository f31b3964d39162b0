"""Finds names similar to a mistyped one: option names, values, files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_LONGEST = 60
_SHOWN_FILES = 3
_MOST_ENTRIES = 2000
"""Largest number of compared entries of a folder."""
_LETTERS = 4
"""Shorter words are similar to too many others."""


def closest(word: str, known: Iterable[str]) -> str:
    """The known name that is most similar to a word; empty if none is similar."""
    import difflib  # only an error needs it

    by_form = {_normalised(name): name for name in reversed([*known])}
    form = _normalised(word)[:_LONGEST]
    found = difflib.get_close_matches(form, by_form, cutoff=0.6)
    # Among equally similar names, the one with the same letters: `modle` is `model` rather than `mode`.
    return by_form[min(found, key=lambda each: (_slips(form, each), sorted(form) != sorted(each)))] if found else ""


def is_slip(word: str, name: str) -> bool:
    """Whether a word is probably a mistyped form of a known name.

    Accepted are: different case or separators; one letter inserted, missing or swapped with the next; one wrong letter
    in a word of at least five letters; two slips in a word of at least eight letters.
    """
    one, two = _normalised(word), _normalised(name)
    shorter = min(len(one), len(two))
    if one == two:
        return True
    if shorter < _LETTERS or abs(len(one) - len(two)) > 2:
        return False
    slips = _slips(one, two)
    replaced = slips == 1 and len(one) == len(two) and sorted(one) != sorted(two)
    return slips <= (2 if shorter >= 2 * _LETTERS else 1) and not (replaced and shorter <= _LETTERS)


def files(path: Path | str) -> str:
    """Files similar to a missing one, at most three, separated by commas; empty if there are none.

    Such a file has a similar name or another ending in the same folder, or the same name one folder further down or up.
    """
    missing = Path(path)
    if os.path.lexists(missing):
        return ""
    found = dict.fromkeys(str(each) for each in _similar_paths(missing) if each.exists())
    return ", ".join(list(found)[:_SHOWN_FILES])


def _normalised(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _slips(one: str, two: str) -> int:
    """Number of inserted, removed, replaced or swapped letters (optimal string alignment distance)."""
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


def _similar_paths(missing: Path) -> Iterator[Path]:
    folder = next((parent for parent in missing.parents if parent.is_dir()), None)
    if folder is None:
        return
    wrong, *rest = missing.relative_to(folder).parts
    names = _names(folder)
    for name in _similar_entries(wrong, names):
        yield Path(folder, name, *rest)
    yield from (folder / name / missing.name for name in names)
    yield folder.parent / missing.name
    yield folder / missing.name


def _similar_entries(wrong: str, names: Iterable[str]) -> Iterator[str]:
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
