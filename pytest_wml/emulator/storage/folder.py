"""The folder of a service that keeps what it acknowledged."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_wml.emulator.contents import sync_folder
from pytest_wml.emulator.home import Home, new_key
from pytest_wml.emulator.storage.database import Database
from pytest_wml.errors import BadDataDir

_DATABASE, _LOCK, _KEY, _CONTENTS, _SCRATCH = "wml.sqlite3", "lock", "token.key", "contents", "scratch"


def lasting(data_dir: Path) -> Home:
    """A home that lasts: what a service before this one kept in the folder is there again.

    The folder is locked until the home is closed, or the process ends, however it ends.

    Args:
        data_dir: the folder, made when it is not there.

    Raises:
        BadDataDir: another process serves from it; it is no folder, cannot be written, or holds something else; its
            database or key is damaged, or of a newer version.
    """
    with contextlib.ExitStack() as stack:
        try:
            home = _opened(data_dir.absolute(), stack)
        except OSError as problem:
            raise unusable(data_dir, problem) from problem
        return replace(home, close=stack.pop_all().close)


def unusable(data_dir: Path, problem: Exception) -> BadDataDir:
    """What to tell of a folder that the system refuses to read or write."""
    return BadDataDir(
        "The data folder cannot be used.",
        folder=data_dir,
        reason=problem,
        fix="choose a folder that this user can write to, on a disk that has room.",
    )


def _opened(data_dir: Path, stack: contextlib.ExitStack) -> Home:
    if data_dir.is_file():
        raise BadDataDir(
            "The data folder is a file.", file=data_dir, fix="choose a folder; it is made where there is none."
        )
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_own(data_dir)
    stack.enter_context(_locked(data_dir))
    _check_whole(data_dir)
    scratch = data_dir / _SCRATCH
    _remove(scratch)
    scratch.mkdir()
    stack.callback(_remove, scratch)
    store = Database(data_dir / _DATABASE)
    stack.callback(store.close)
    return Home(data_dir / _CONTENTS, scratch, _key(data_dir / _KEY, scratch), store, stack.close)


def _remove(scratch: Path) -> None:
    if scratch.exists():
        shutil.rmtree(scratch, ignore_errors=True)


def _check_own(data_dir: Path) -> None:
    """Pass when the folder is empty or a data folder: what a stranger keeps in one must not be swept away."""
    names = {path.name for path in data_dir.iterdir() if not path.name.startswith(".")}
    # An empty disk has a lost+found.
    strange = names - {_LOCK, _KEY, _CONTENTS, _SCRATCH, "lost+found"}
    if strange and _DATABASE not in names:
        raise BadDataDir(
            "The data folder holds something else.",
            folder=data_dir,
            found=", ".join(sorted(strange)[:3]),
            fix="choose an empty folder, or one that does not exist yet.",
        )


def _check_whole(data_dir: Path) -> None:
    contents = data_dir / _CONTENTS
    if not (data_dir / _DATABASE).exists() and contents.is_dir() and any(contents.iterdir()):
        raise BadDataDir(
            "The data folder has uploads and no database.",
            folder=data_dir,
            missing=_DATABASE,
            fix="put the database back, or choose another folder; nothing was changed in this one.",
        )


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    # Never removed: who holds a lock on a file that is gone holds nothing.
    with (data_dir / _LOCK).open("a+", encoding="ascii", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BadDataDir(
                "Another server uses the data folder.",
                folder=data_dir,
                process=file.read(20).strip() or "not known",
                fix="stop that process first, or choose another folder.",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _key(path: Path, scratch: Path) -> bytes:
    """The key that tokens are signed with; kept, so that clients go on with the tokens that they hold."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=scratch)  # readable by this user only
        with os.fdopen(handle, "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        sync_folder(path.parent)
    key = path.read_bytes()
    if len(key) != len(new_key()):
        raise BadDataDir(
            "The key of the data folder is damaged.",
            key=path,
            fix="delete it: a new one is made, and clients have to ask for new tokens.",
        )
    return key
