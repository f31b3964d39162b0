"""Records of one kind, kept in the order they were made."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from pytest_wml.embedded.refusals import Refusal


class Record(Protocol):
    """What a shelf keeps: frozen values, replaced as a whole, so that a reader never sees half a change."""

    @property
    def id(self) -> str: ...

    @property
    def number(self) -> int:
        """Counts up in the order of creation; what pages of a list are cut by."""


R = TypeVar("R", bound=Record)


class Shelf(Generic[R]):
    """Records by id.

    Args:
        lock: held while a record is changed; shared with other shelves, so that rules can span them.
        missing: the refusal for an id that is not here.
    """

    def __init__(self, lock: threading.RLock, missing: Callable[[str], Refusal]) -> None:
        self._lock = lock
        self._missing = missing
        self._records: dict[str, R] = {}
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        return next(self._numbers)

    def put(self, record: R) -> R:
        with self._lock:
            self._records[record.id] = record
        return record

    def get(self, record_id: str) -> R:
        with self._lock:
            if record_id not in self._records:
                raise self._missing(record_id)
            return self._records[record_id]

    def find(self, wanted: Callable[[R], bool]) -> list[R]:
        """The records that are wanted, newest first."""
        with self._lock:
            records = list(self._records.values())
        return [record for record in reversed(records) if wanted(record)]

    def change(self, record_id: str, changed: Callable[[R], R]) -> R:
        """Replace a record by what `changed` makes of it, with nobody in between."""
        with self._lock:
            return self.put(changed(self.get(record_id)))

    def drop(self, record_id: str) -> R:
        with self._lock:
            record = self.get(record_id)
            del self._records[record_id]
        return record
