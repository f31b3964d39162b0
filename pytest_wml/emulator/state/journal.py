"""Changes of the state: made by one request, kept together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeVar


class StateRecord(Protocol):
    """What is kept: frozen values, replaced as a whole, so that a reader never sees half a change."""

    @property
    def id(self) -> str: ...

    @property
    def number(self) -> int:
        """Counts up in the order of creation; what pages of a list are cut by."""


R = TypeVar("R", bound=StateRecord)


@dataclass(frozen=True)
class Change:
    """What became of one record."""

    kind: str
    id: str
    number: int
    record: StateRecord | None
    """As it is now; None where it was dropped."""


class Store(Protocol):
    """What outlives the process."""

    def read(self, kind: str, record: type[R]) -> tuple[list[R], int]:
        """The records of one kind in the order of creation, and the last number that any of the kind ever had."""

    def write(self, changes: Collection[Change]) -> None:
        """Keep all of these, or none.

        Raises:
            NotKept: none is.
        """

    def close(self) -> None:
        """Keep nothing any more: what is written next fails."""


class StateJournal:
    """The lock of the state, and what was changed under it.

    `with journal:` is one change, however many records in any number of registries: at the end of the
    outermost block it is written to the store, and taken back if that fails or the block does.

    Args:
        store: where changes are kept; None where they last as long as the process.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.lock = threading.RLock()
        """For readers: while it is held, what is seen is kept."""
        self._store = store
        self._depth = 0
        self._changes: dict[tuple[str, str], Change] = {}
        self._undoing: list[Callable[[], None]] = []

    def restored(self, kind: str, record: type[R]) -> tuple[list[R], int]:
        """What the store has of one kind: see `Store.read`."""
        return self._store.read(kind, record) if self._store else ([], 0)

    def note(self, change: Change, undo: Callable[[], None]) -> None:
        """Remember what the block that runs has changed, and how to take it back."""
        self._changes[change.kind, change.id] = change
        self._undoing.append(undo)

    def close(self) -> None:
        """Let what is being changed be kept, and close the store."""
        with self.lock:
            if self._store:
                self._store.close()

    def __enter__(self) -> None:
        self.lock.acquire()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self._depth -= 1
        try:
            if not self._depth:
                self._end(failed=kind is not None)
        finally:
            self.lock.release()

    def _end(self, failed: bool) -> None:
        taken_back = True
        try:
            if not failed:
                self._write()
                taken_back = False
        finally:
            for undo in reversed(self._undoing) if taken_back else ():
                undo()
            self._changes.clear()
            self._undoing.clear()

    def _write(self) -> None:
        if self._store and self._changes:
            self._store.write(self._changes.values())
