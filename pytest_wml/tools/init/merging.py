"""Files that a folder may hold already: ours are added to lists of lines, and a README stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path


def _pattern(line: str) -> str:
    return line.strip("/")


def _package(line: str) -> str:
    """The name that pip compares: `pytest_wml[wml]>=0.1` is `pytest-wml`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower()


def _attributes(line: str) -> str:
    return " ".join(line.split())


_LISTS: Mapping[str, Callable[[str], str]] = {
    ".gitignore": _pattern,
    ".gitattributes": _attributes,
    "requirements.txt": _package,
}
"""What makes two lines of a file the same entry."""
_STAY = frozenset({"README.md"})


def may_be_there(path: Path, name: str) -> bool:
    """Whether a file that is there is not in the way."""
    return (name in _LISTS or name in _STAY) and path.is_file() and not path.is_symlink()


def merged(name: str, there: bytes, ours: bytes) -> bytes:
    """A file that is there with the entries of ours that it lacks; the same bytes where it lacks none.

    Args:
        name: relative to the folder.
        there: the file's content.
        ours: what would be written if it were not there.
    """
    if name in _STAY:
        return there
    same = _LISTS[name]
    known = {same(line) for line in _entries(there)}
    lacking = [line for line in _entries(ours) if same(line) not in known]
    if not lacking:
        return there
    newline = b"\r\n" if b"\r\n" in there else b"\n"
    gap = b"" if not there or there.endswith(b"\n") else newline
    return there + gap + b"".join(line.encode() + newline for line in lacking)


def _entries(content: bytes) -> list[str]:
    lines = (line.strip() for line in content.decode("utf-8", "surrogateescape").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
