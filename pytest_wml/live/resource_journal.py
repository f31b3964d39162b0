"""The journal of the resources that a live run created and has not deleted.

It is written before the request goes out.

One file a process, in the user's folder for state: a run that is killed leaves it behind, and `pytest-wml sweep`
reads it. Lines of JSON; the first one says whose it is. No line holds a secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from pytest_wml.errors import WMLTestError
from pytest_wml.redaction.text import masked

_FORMAT = 1


class NoJournal(WMLTestError):
    """Nothing can be written down, so nothing is created either: nobody could find it again."""


class UndeletedResource(NamedTuple):
    """Something that a run created, or asked for and got no answer.

    Args:
        kind: `model`, `function`, `deployment` or `space`.
        id: empty where no answer came.
        name: as the service has it.
        asker: the test or fixture that created it.
        host: that was asked.
        space: that the request named; empty for none.
    """

    kind: str
    id: str
    name: str
    asker: str
    host: str = ""
    space: str = ""


def folder() -> Path:
    """Where journals are kept: XDG_STATE_HOME, else the user's own folder, else the temporary one."""
    named = os.environ.get("XDG_STATE_HOME")
    if named and os.path.isabs(named):
        return Path(named, "pytest-wml", "journal")
    with contextlib.suppress(RuntimeError):  # a container's user may have no home
        home = Path.home()
        if os.access(home, os.W_OK):
            return home / ".local" / "state" / "pytest-wml" / "journal"
    return Path(tempfile.gettempdir(), "pytest-wml-journal")


class ResourceJournal:
    """The journal of one process; its file is there from the first line on.

    Args:
        place: the folder.
        run: the run's name.
        facts: where the run creates: `url` and `space`.
    """

    def __init__(self, place: Path, run: str, facts: dict[str, str]) -> None:
        self._path = place / f"{run}-{os.getpid()}.jsonl"
        self._head = {"journal": _FORMAT, "run": run, "host": socket.gethostname(), **facts}
        self._lock = threading.Lock()
        self.names: set[str] = set()
        """What was created in this process is called so, without its mark."""

    def creating(self, kind: str, name: str, asker: str, host: str = "", space: str = "") -> str:
        """Write down what is about to be created; the number that `made` and `refused` take.

        Raises:
            NoJournal: it cannot be written.
        """
        number = secrets.token_hex(8)  # also a forked process, or a second journal of this one, writes to the file
        with self._lock:
            line = {"asking": number, "kind": kind, "name": name, "asker": asker, "host": host, "space": space}
            try:
                self._write(*([self._head] if not self._path.exists() else []), line)
            except OSError as error:
                raise NoJournal(
                    f"Nothing is created: the journal of what has to be deleted cannot be written ({kind} {name}).",
                    journal=self._path,
                    reason=error.strerror or error,
                    fix="set XDG_STATE_HOME to a folder that can be written, and see that the disk has room",
                ) from None
        return number

    def made(self, number: str, made: str) -> None:
        """It was created and has this id."""
        self._note({"made": number, "id": made})

    def refused(self, number: str) -> None:
        """It was not created."""
        self._note({"refused": number})

    def gone(self, made: str) -> None:
        """What has this id was deleted, or is to stay."""
        self._note({"gone": made})

    def looked_for(self, name: str) -> None:
        """What was asked for under this name, and had no answer, was looked for: if it was there, it was deleted."""
        self._note({"looked for": name})

    def _note(self, line: dict[str, Any]) -> None:
        # Without the line more is looked for at the end than is there; that is no reason to fail.
        with self._lock, contextlib.suppress(OSError):
            # Also what another process of the run created.
            if any(self._path.parent.glob(f"{self._head['run']}-*.jsonl")):
                self._write(*([] if self._path.exists() else [self._head]), line)

    def _write(self, *lines: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(masked(json.dumps(line)) + "\n" for line in lines)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


class JournaledRun(NamedTuple):
    """A run as its journals record it.

    Args:
        run: its name.
        url: of the service.
        space: the run's deployment space.
        host: the machine that it ran on.
        owed: what was not deleted.
        files: the journals.
    """

    run: str
    url: str
    space: str
    host: str
    owed: tuple[UndeletedResource, ...]
    files: tuple[Path, ...]

    @property
    def is_of_here(self) -> bool:
        """Whether it ran on this machine."""
        return self.host == socket.gethostname()


def journaled_runs(place: Path, run: str = "") -> Iterator[JournaledRun]:
    """Yield the runs that the journals in a folder record; only one where it is named."""
    by_run: dict[str, list[Path]] = {}
    for path in sorted(place.glob(f"{run or '*'}-*.jsonl")):
        by_run.setdefault(path.name.partition("-")[0], []).append(path)
    for name, paths in by_run.items():
        heads, lines = [], []
        for path in paths:
            head, rest = _read(path)
            heads.append(head)
            lines += rest
        head = next(filter(None, heads), {})
        url, space, host = (str(head.get(word, "")) for word in ("url", "space", "host"))
        yield JournaledRun(name, url, space, host, tuple(_owed(lines)), tuple(paths))


def _read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line of a journal, and all lines; one that was cut off is left out."""
    try:
        lines = [_parsed(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return {}, []
    head = lines[0] if lines and lines[0].get("journal") == _FORMAT else {}
    return head, lines


def _owed(lines: Iterable[dict[str, Any]]) -> Iterator[UndeletedResource]:
    asked: dict[str, UndeletedResource] = {}
    gone: set[str] = set()  # maybe noted in another process's file, which is read before
    looked_for: set[str] = set()
    for line in lines:
        # Whatever stands in the file: text can be looked up.
        said = {word: str(value) for word, value in line.items()}
        if "asking" in said and said.get("kind"):
            name, asker, host, space = (said.get(word, "") for word in ("name", "asker", "host", "space"))
            asked[said["asking"]] = UndeletedResource(said["kind"], "", name, asker, host, space)
        elif said.get("made") in asked:
            asked[said["made"]] = asked[said["made"]]._replace(id=said.get("id", ""))
        elif "refused" in said:
            asked.pop(said["refused"], None)
        elif "gone" in said:
            gone.add(said["gone"])
        elif "looked for" in said:
            looked_for.add(said["looked for"])
    yield from (owed for owed in asked.values() if (owed.id not in gone if owed.id else owed.name not in looked_for))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class RunLock:
    """Says to others on this machine that a run is still going on: a lock that ends with its process."""

    def __init__(self, place: Path, run: str) -> None:
        self._lock = FileLock(place / f"{run}.lock", blocking=False)

    def begin(self) -> None:
        """From now on it is alive."""
        with contextlib.suppress(OSError, Timeout):  # without it sweep waits until the run's things expire
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()

    def end(self) -> None:
        """It has ended."""
        if self._lock.is_locked:
            self._lock.release()
            with contextlib.suppress(OSError):
                Path(self._lock.lock_file).unlink(missing_ok=True)


def is_alive(place: Path, run: str) -> bool:
    """Whether a run of this machine is going on."""
    path = place / f"{run}.lock"
    if not path.exists():
        return False
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except (OSError, Timeout):
        return True
    lock.release()
    return False
