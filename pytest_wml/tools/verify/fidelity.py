"""Reads and updates the data of FIDELITY.md: purpose, basis and validation date of each route."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.file import write

_PAGE = "FIDELITY.md"
_HEAD = "| route | what it does | status | source |\n|---|---|---|---|\n"
_TABLE = re.compile(r"(?<=\n)" + re.escape(_HEAD) + r"(\|.*\n)*")


class BadFidelity(WMLTestError):
    """The file with the data of FIDELITY.md is invalid."""


class Row(NamedTuple):
    """The row of one route.

    Args:
        route: method and path of the route.
        basis: basis other than comparisons: `recorded by IBM`, `from documentation` or `assumed`.
        source: source of the basis.
        validated_live: last date on which the service's answers agreed, such as 2026-01-02; empty for none.
    """

    route: str
    does: str
    basis: str
    source: str
    validated_live: str = ""

    @property
    def status(self) -> str:
        """The status of the row."""
        return f"validated live on {self.validated_live}" if self.validated_live else self.basis

    def __str__(self) -> str:
        source = f" {self.source} " if self.source else " "
        return f"| `{self.route}` | {self.does} | {self.status} |{source}|\n"


def load(path: Path) -> list[Row]:
    """Read the rows of a data file.

    Raises:
        BadFidelity: the file cannot be read or is invalid.
    """
    try:
        rows = [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["routes"]]
        if not all(isinstance(value, str) for row in rows for value in row):
            raise TypeError("every value is text")
        return rows
    except OSError as error:
        raise BadFidelity("The data of FIDELITY.md cannot be read.", file=path, reason=error.strerror) from None
    except (ValueError, LookupError, TypeError) as error:
        raise BadFidelity("The data of FIDELITY.md is invalid.", file=path, reason=error) from None


def text(rows: Iterable[Row]) -> str:
    """The text of a data file."""
    lines = ",\n".join("  " + json.dumps(row._asdict(), ensure_ascii=False) for row in rows)
    return f'{{\n "routes": [\n{lines}\n ]\n}}\n'


def page(written: str, rows: Iterable[Row]) -> str:
    """The page with an updated table of routes.

    Raises:
        BadFidelity: the page has no table of routes.
    """
    found = _TABLE.search(written)
    if found is None:
        raise BadFidelity(f"{_PAGE} has no table of routes.", looked_for=_HEAD.splitlines()[0])
    return written[: found.start()] + _HEAD + "".join(map(str, rows)) + written[found.end() :]


def validated(rows: Iterable[Row], routes: Iterable[str], day: str) -> list[Row]:
    """The rows with the date set for the given routes; other rows do not change."""
    seen = set(routes)
    return [row._replace(validated_live=day) if row.route in seen else row for row in rows]


def update(path: Path, routes: Iterable[str], day: str) -> list[str]:
    """Write the date into a data file, and into the page in the same folder.

    Returns:
        The updated routes.

    Raises:
        BadFidelity: the file or the page is invalid.
    """
    before = load(path)
    rows = validated(before, routes, day)
    beside = path.with_name(_PAGE)
    new_page = page(beside.read_text(encoding="utf-8"), rows) if beside.exists() else None
    write(path, text(rows))
    if new_page is not None:
        write(beside, new_page)
    return [row.route for row in rows if row.route in set(routes)]
