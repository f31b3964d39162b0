"""Writing many files at once: all of them or none, and nothing over what is there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
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
"""Files in which pytest may be configured, and what they hold when it is."""


class FolderTaken(WMLTestError):
    """A folder holds what would have to be overwritten."""


def place(files: Mapping[str, bytes | Path], folder: Path) -> None:
    """Write files below a folder, which is made if need be.

    Args:
        files: path relative to the folder → content, or the file that is copied there.
        folder: where they go.

    Raises:
        FolderTaken: something is there already, or it cannot be written; the folder is as it was.
    """
    taken = sorted({*_taken(files, folder)})
    if taken:
        raise FolderTaken(
            f"Nothing was written: {folder.resolve()} is not free for it.",
            there_already=", ".join(taken),
            fix="name a new folder: pytest-wml init FOLDER; then move over what you need",
        )
    try:
        with contextlib.ExitStack() as undo:
            _make(folder, undo)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".pytest-wml-init-") as staged:
                _stage(files, Path(staged))
                for name in files:
                    _make((folder / name).parent, undo)
                    os.rename(Path(staged, name), folder / name)
                    undo.callback((folder / name).unlink)
            undo.pop_all()
    except OSError as error:
        raise FolderTaken(f"Nothing was written: {error.strerror}.", path=error.filename2 or error.filename) from None


def _taken(files: Mapping[str, bytes | Path], folder: Path) -> Iterator[str]:
    """Yield what stands in the way, relative to the folder."""
    if os.path.lexists(folder) and not folder.is_dir():
        yield str(folder)
        return
    for name in files:
        # Of a path a/b/c also a and a/b, which may be files.
        for above in Path(name).parents:
            if os.path.lexists(folder / above) and not (folder / above).is_dir():
                yield above.as_posix()
        if os.path.lexists(folder / name):
            yield name
    for name, section in _CONFIGURED.items():
        path = folder / name
        if "pytest.ini" in files and path.is_file() and section in path.read_text(encoding="utf-8", errors="replace"):
            yield f"{name} (pytest's settings, which a pytest.ini would hide)"


def _make(folder: Path, undo: contextlib.ExitStack) -> None:
    """Make a folder and those above it."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir()
            undo.callback(each.rmdir)


def _stage(files: Mapping[str, bytes | Path], staged: Path) -> None:
    for name, content in files.items():
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content)
