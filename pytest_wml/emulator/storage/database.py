"""Records in SQLite: one table, a row each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from pytest_wml.emulator.refusals import NoSpaceLeft, NotKept
from pytest_wml.emulator.state.journal import Change, R
from pytest_wml.emulator.storage.records import NotARecord, decoded, encoded
from pytest_wml.errors import BadDataDir
from pytest_wml.wml.embedded import EMBEDDED

FORMAT = 1
"""Of the tables and of the records in them; in the database's `user_version`."""
_APPLICATION = 0x574D4C74
"""`WMLt`; in the database's `application_id`, which distinguishes it from other databases."""
_TABLES = f"""
BEGIN;
CREATE TABLE records (
    kind TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE counters (kind TEXT NOT NULL PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
"""
_PUT = (
    "INSERT INTO records (kind, id, number, json) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, id) DO UPDATE SET number = excluded.number, json = excluded.json"
)
_COUNT = (
    "INSERT INTO counters (kind, last) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last)"
)


class Database:
    """The store of a service in a file, written as one transaction a change.

    Only one thread may call it at a time.

    Args:
        path: the file; made when it is not there.

    Raises:
        BadDataDir: it is no database of this kind, is damaged, was written by a newer version, or cannot be
            written. It is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as problem:
            raise self._bad("The database of the data folder cannot be opened.", problem) from problem
        try:
            self._open()
        except sqlite3.Error as problem:
            self.close()
            raise self._bad("The database of the data folder cannot be used.", problem) from problem
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        # The folder is locked already; without shared memory, a full disk is an error and not a SIGBUS.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA trusted_schema = OFF")
        self._check_format()
        # Acknowledged is what is on the disk: FULL waits for it, also in WAL mode.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if not self._number("SELECT count(*) FROM sqlite_master"):
            self._connection.executescript(_TABLES)
        # Shows now what would else fail the first request: a file that cannot be written.
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("COMMIT")

    def _check_format(self) -> None:
        empty = not self._number("SELECT count(*) FROM sqlite_master")
        application, written = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
        if empty and not application:
            return
        if application != _APPLICATION:
            raise BadDataDir(
                "The data folder has a database that is not of pytest-wml.",
                database=self._path,
                fix="choose another folder; nothing was changed in this one.",
            )
        if written > FORMAT:
            raise BadDataDir(
                "The data folder was written by a newer pytest-wml.",
                database=self._path,
                format=f"{written}, and this version reads up to {FORMAT}",
                fix="use the newer version, or choose another folder; nothing was changed in this one.",
            )

    def read(self, kind: str, record: type[R]) -> tuple[list[R], int]:
        """The records of one kind in the order of creation, and the last number that any of the kind ever had.

        Raises:
            BadDataDir: the database is damaged.
        """
        place = kind
        try:
            rows = self._connection.execute(
                "SELECT id, number, json FROM records WHERE kind = ? ORDER BY number", (kind,)
            )
            records = []
            for place, number, text in rows:
                records.append(decoded(record, text))
                if (records[-1].id, records[-1].number) != (place, number):
                    raise NotARecord("the record has another id or number than its row")
            last = self._number("SELECT coalesce(max(last), 0) FROM counters WHERE kind = ?", kind)
        except (sqlite3.Error, NotARecord, TypeError) as problem:
            raise self._bad(f"The database of the data folder is damaged: {kind} {place!r}.", problem) from problem
        return records, max([last, *(record.number for record in records)])

    def write(self, changes: Collection[Change]) -> None:
        """Keep all of these, or none.

        Raises:
            NoSpaceLeft: the disk is full; none is.
            NotKept: the disk fails; none is.
        """
        put = [(change.kind, change.id, change.number, encoded(change.record)) for change in changes if change.record]
        dropped = [(change.kind, change.id) for change in changes if change.record is None]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_PUT, put)
            self._connection.executemany("DELETE FROM records WHERE kind = ? AND id = ?", dropped)
            self._connection.executemany(_COUNT, [(change.kind, change.number) for change in changes])
            self._connection.execute("COMMIT")
        except sqlite3.Error as problem:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise _refusal(problem) from problem

    def close(self) -> None:
        self._connection.close()

    def _number(self, query: str, *values: str) -> int:
        (number,) = self._connection.execute(query, values).fetchone()
        if not isinstance(number, int):
            raise NotARecord("a number is none")
        return number

    def _bad(self, problem: str, reason: Exception) -> BadDataDir:
        return BadDataDir(
            problem,
            database=self._path,
            reason=reason,
            fix="choose another folder, or put a copy of the whole folder back; nothing was changed in this one.",
        )


def _refusal(problem: sqlite3.Error) -> NotKept:
    full = getattr(problem, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    kind, code = (NoSpaceLeft, "insufficient_storage") if full else (NotKept, "storage_failed")
    return kind(code, f"{EMBEDDED} could not write to its disk: {problem}.")
