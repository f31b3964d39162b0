"""Writes all files of a repository or none; existing files are not overwritten, but lists of lines are extended."""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_wml.errors import WMLTestError

_CONFIGURED = {
    "pytest.toml": "",
    ".pytest.toml": "",
    ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}
"""Files that may contain pytest's configuration, with a text that shows it."""


_REASONS = {
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "the file system is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOSPC: "the disk is full",
}


def _pattern(line: str) -> str:
    return line.strip("/")


def _package(line: str) -> str:
    """The normalised name of a requirement: `pytest_wml[wml]>=0.1` is `pytest-wml`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower()


def _attributes(line: str) -> str:
    return " ".join(line.split())


_LISTS: Mapping[str, Callable[[str], str]] = {
    ".gitignore": _pattern,
    ".gitattributes": _attributes,
    "requirements.txt": _package,
}
"""Files whose missing lines are added, with the function that normalises a line for comparison."""
_KEPT = frozenset({"README.md"})


class FileResult(enum.Enum):
    """Result of writing a file."""

    WRITTEN = ""
    ADDED_TO = "existed: missing lines were added"
    KEPT = "existed: not changed"


class FolderTaken(WMLTestError):
    """A folder contains files that would be overwritten."""


def write_files(files: Mapping[str, bytes | Path], folder: Path) -> dict[str, FileResult]:
    """Write files below a folder, which is created if necessary.

    Args:
        files: path relative to the folder → content, or the path of a file to copy.
        folder: the folder.

    Returns:
        The result for each file.

    Raises:
        FolderTaken: a file exists, or the folder cannot be written; the folder is not changed.
    """
    try:
        taken = sorted({*_taken(files, folder)})
        if taken:
            raise FolderTaken(
                f"Nothing was written: {folder.resolve()} contains files that would be overwritten.",
                there_already=", ".join(taken),
                fix="give a new folder: pytest-wml init FOLDER; then move the files that you need",
            )
        return _write_all(files, folder)
    except OSError as error:
        raise FolderTaken(
            f"Nothing was written: {_REASONS.get(error.errno or 0, error.strerror)}.",
            path=error.filename2 or error.filename,
            fix="give another folder: pytest-wml init FOLDER",
        ) from None


def _write_all(files: Mapping[str, bytes | Path], folder: Path) -> dict[str, FileResult]:
    done = dict.fromkeys(files, FileResult.WRITTEN)
    with contextlib.ExitStack() as undo:
        _make(folder, undo)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".pytest-wml-init-") as staged:
            for name, content in files.items():
                path = folder / name
                if _may_exist(path, name):
                    done[name] = _merge(path, name, content, Path(staged), undo)
                    continue
                _stage(name, content, Path(staged))
                _make(path.parent, undo)
                os.rename(Path(staged, name), path)
                undo.callback(path.unlink)
        undo.pop_all()
    return done


def _merge(path: Path, name: str, content: bytes | Path, staged: Path, undo: contextlib.ExitStack) -> FileResult:
    """Add the missing lines to an existing file."""
    before = path.read_bytes()
    after = _merged(name, before, content if isinstance(content, bytes) else content.read_bytes())
    if after == before:
        return FileResult.KEPT
    _stage(name, after, staged)
    shutil.copymode(path, staged / name)
    os.replace(staged / name, path)
    undo.callback(path.write_bytes, before)
    return FileResult.ADDED_TO


def _taken(files: Mapping[str, bytes | Path], folder: Path) -> Iterator[str]:
    """Yield the existing paths that prevent writing, relative to the folder."""
    for parent in (folder, *folder.parents):
        if os.path.lexists(parent) and not parent.is_dir():
            yield str(parent)
            return
    for name in files:
        # For a path a/b/c, also a and a/b may be files.
        for above in Path(name).parents:
            if os.path.lexists(folder / above) and not (folder / above).is_dir():
                yield above.as_posix()
        if os.path.lexists(folder / name) and not _may_exist(folder / name, name):
            yield name
    if "pytest.ini" in files:
        yield from _settings(folder)


def _settings(folder: Path) -> Iterator[str]:
    for name, section in _CONFIGURED.items():
        path = folder / name
        if path.is_file() and section in path.read_text(encoding="utf-8", errors="replace"):
            yield f"{name} (pytest's settings, which a pytest.ini would override)"


def _make(folder: Path, undo: contextlib.ExitStack) -> None:
    """Create a folder and its parents."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir()
            undo.callback(each.rmdir)


def _stage(name: str, content: bytes | Path, staged: Path) -> None:
    path = staged / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content)


def _may_exist(path: Path, name: str) -> bool:
    """Whether a file may exist already: it is extended or kept."""
    return (name in _LISTS or name in _KEPT) and path.is_file() and not path.is_symlink()


def _merged(name: str, existing: bytes, ours: bytes) -> bytes:
    """The content of an existing file with the missing entries added; unchanged if none are missing.

    Args:
        name: path relative to the folder.
        existing: content of the existing file.
        ours: content that would be written to a new file.
    """
    if name in _KEPT:
        return existing
    same = _LISTS[name]
    known = {same(line) for line in _entries(existing)}
    missing = [line for line in _entries(ours) if same(line) not in known]
    if not missing:
        return existing
    newline = b"\r\n" if b"\r\n" in existing else b"\n"
    gap = b"" if not existing or existing.endswith(b"\n") else newline
    return existing + gap + b"".join(line.encode() + newline for line in missing)


def _entries(content: bytes) -> list[str]:
    lines = (line.strip() for line in content.decode("utf-8", "surrogateescape").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
