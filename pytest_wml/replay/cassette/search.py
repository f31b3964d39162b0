"""The files that a tool was given: cassettes, or folders of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_wml.config import similar_names
from pytest_wml.errors import WMLTestError


class NothingKnown(WMLTestError):
    """A tool needs what is not there: a file, a revision, a finished run."""


def files(paths: Sequence[str], patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are named, and those in the folders that are.

    Raises:
        NothingKnown: there is no such file or folder.
    """
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found = {file for pattern in patterns for file in path.rglob(pattern) if not file.name.startswith(".")}
            yield from sorted(found)
        elif path.exists():
            yield path
        else:
            fix = "name a cassette file or a folder of them"
            raise NothingKnown(f"There is no {given}.", there_is=similar_names.files(path), fix=fix)
