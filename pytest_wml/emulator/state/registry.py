"""Records of one kind, kept in the order they were made."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Generic

from pytest_wml.emulator.refusals import Refusal
from pytest_wml.emulator.state.journal import Change, R, StateJournal


class RecordRegistry(Generic[R]):
    """Records by id; those that the journal's store has are there from the start.

    Args:
        journal: gets every change; shared with other registries, so that a change can span them.
        kind: what the store calls these records.
        record: what they are.
        missing: the refusal for an id that is not here.
    """

    def __init__(self, journal: StateJournal, kind: str, record: type[R], missing: Callable[[str], Refusal]) -> None:
        self._journal = journal
        self.kind = kind
        self._missing = missing
        restored, last_number = journal.restored(kind, record)
        self._records = {record.id: record for record in restored}
        self._numbers = itertools.count(last_number + 1)

    def next_number(self) -> int:
        return next(self._numbers)

    def put(self, record: R) -> R:
        with self._journal:
            before = self._records.get(record.id)
            if before is not record:
                self._records[record.id] = record
                self._note(record, before, record)
        return record

    def get(self, record_id: str) -> R:
        with self._journal.lock:
            if record_id not in self._records:
                raise self._missing(record_id)
            return self._records[record_id]

    def find(self, wanted: Callable[[R], bool]) -> list[R]:
        """The records that are wanted, newest first."""
        with self._journal.lock:
            records = list(self._records.values())
        return [record for record in reversed(records) if wanted(record)]

    def change(self, record_id: str, changed: Callable[[R], R]) -> R:
        """Replace a record by what `changed` makes of it, with nobody in between."""
        with self._journal:
            return self.put(changed(self.get(record_id)))

    def drop(self, record_id: str) -> R:
        with self._journal:
            record = self.get(record_id)
            del self._records[record_id]
            self._note(record, record, None)
        return record

    def _note(self, changed: R, before: R | None, after: R | None) -> None:
        change = Change(self.kind, changed.id, changed.number, after)
        self._journal.note(change, partial(self._undo, changed.id, before))

    def _undo(self, record_id: str, before: R | None) -> None:
        self._records.pop(record_id, None)
        if before is not None:
            records = sorted([*self._records.values(), before], key=lambda record: record.number)
            self._records = {record.id: record for record in records}
