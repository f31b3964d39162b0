"""Writing many files at once: all of them or none, and nothing over what is there."""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_wml.errors import WMLTestError
from pytest_wml.tools.init.merging import may_be_there, merged

_CONFIGURED = {
    "pytest.toml": "",
    ".pytest.toml": "",
    ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}
"""Files in which pytest may be configured, and what they hold when it is."""


_REASONS = {
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "the file system is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOSPC: "the disk is full",
}


class Done(enum.Enum):
    """What became of a file."""

    WRITTEN = ""
    ADDED_TO = "was there: lines were added"
    KEPT = "was there: kept as it is"


class FolderTaken(WMLTestError):
    """A folder holds what would have to be overwritten."""


def place(files: Mapping[str, bytes | Path], folder: Path) -> dict[str, Done]:
    """Write files below a folder, which is made if need be.

    Args:
        files: path relative to the folder → content, or the file that is copied there.
        folder: where they go.

    Returns:
        What became of each file.

    Raises:
        FolderTaken: something is in the way, or it cannot be written; the folder is as it was.
    """
    try:
        taken = sorted({*_taken(files, folder)})
        if taken:
            raise FolderTaken(
                f"Nothing was written: {folder.resolve()} holds files that would be overwritten.",
                there_already=", ".join(taken),
                fix="name a new folder: pytest-wml init FOLDER; then move over what you need",
            )
        return _placed(files, folder)
    except OSError as error:
        raise FolderTaken(
            f"Nothing was written: {_REASONS.get(error.errno or 0, error.strerror)}.",
            path=error.filename2 or error.filename,
            fix="name another folder: pytest-wml init FOLDER",
        ) from None


def _placed(files: Mapping[str, bytes | Path], folder: Path) -> dict[str, Done]:
    done = dict.fromkeys(files, Done.WRITTEN)
    with contextlib.ExitStack() as undo:
        _make(folder, undo)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".pytest-wml-init-") as staged:
            for name, content in files.items():
                path = folder / name
                if may_be_there(path, name):
                    done[name] = _merge(path, name, content, Path(staged), undo)
                    continue
                _stage(name, content, Path(staged))
                _make(path.parent, undo)
                os.rename(Path(staged, name), path)
                undo.callback(path.unlink)
        undo.pop_all()
    return done


def _merge(path: Path, name: str, content: bytes | Path, staged: Path, undo: contextlib.ExitStack) -> Done:
    """Add to a file that is there what it lacks."""
    before = path.read_bytes()
    after = merged(name, before, content if isinstance(content, bytes) else content.read_bytes())
    if after == before:
        return Done.KEPT
    _stage(name, after, staged)
    shutil.copymode(path, staged / name)
    os.replace(staged / name, path)
    undo.callback(path.write_bytes, before)
    return Done.ADDED_TO


def _taken(files: Mapping[str, bytes | Path], folder: Path) -> Iterator[str]:
    """Yield what stands in the way, relative to the folder."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place) and not place.is_dir():
            yield str(place)
            return
    for name in files:
        # Of a path a/b/c also a and a/b, which may be files.
        for above in Path(name).parents:
            if os.path.lexists(folder / above) and not (folder / above).is_dir():
                yield above.as_posix()
        if os.path.lexists(folder / name) and not may_be_there(folder / name, name):
            yield name
    if "pytest.ini" in files:
        yield from _settings(folder)


def _settings(folder: Path) -> Iterator[str]:
    for name, section in _CONFIGURED.items():
        path = folder / name
        if path.is_file() and section in path.read_text(encoding="utf-8", errors="replace"):
            yield f"{name} (pytest's settings, which a pytest.ini would hide)"


def _make(folder: Path, undo: contextlib.ExitStack) -> None:
    """Make a folder and those above it."""
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
