"""Rows of a scoring that are recorded in another batch, which is another request: a batch is answered whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_wml.replay.cassette.identity import Request, parsed
from pytest_wml.replay.cassette.nearest import SHORT, short
from pytest_wml.replay.cassette.normalise import Interaction

_SEARCHED = 200_000_000
"""Bytes in which rows are looked for, counted once for each row."""
_ROWS = 64
"""Rows that are looked for."""
_READ = 4_000_000
"""Bytes of the bodies that are read in which a row was found."""


def elsewhere(asked: Request, recorded: Iterable[Interaction]) -> str:
    """In which batch the rows of a scoring are recorded; empty where none is, or where it is the same batch.

    Args:
        asked: a request that no recording answers.
        recorded: interactions of the recordings that could have answered it.
    """
    rows = list(_rows(asked.sent))
    same = [one for one in recorded if one.scores and one.path == asked.path and isinstance(one.body, bytes)]
    if not rows or not same:
        return ""
    batches = [batch for one in _holding(rows, same) if (batch := list(_rows(one.body))) and set(rows) & set(batch)]
    if rows in batches:
        return ""
    whole = sorted((batch for batch in batches if set(rows) <= set(batch)), key=len)
    if whole:
        order = " in another order" if sorted(whole[0]) == sorted(rows) else f" in a batch of {len(whole[0])}"
        return f"these rows are recorded{order}: {_shown(whole[0])}"
    found = set(rows).intersection(row for batch in batches for row in batch)
    if not found:
        return ""
    largest = max(batches, key=lambda batch: len(set(rows) & set(batch)))
    if found != set(rows):
        are = "is" if len(found) == 1 else "are"
        return f"{len(found)} of these {len(rows)} rows {are} recorded in a batch of {len(largest)}: {_shown(largest)}"
    if all(len(batch) == 1 for batch in batches):
        return "these rows are recorded one by one, each in a request of its own"
    return f"these rows are recorded in several batches, one of them of {len(largest)}: {_shown(largest)}"


def few_rows(request: Request) -> str:
    """The rows of a scoring, to tell it from others of the same deployment; empty where they do not fit in a line."""
    rows = f"[{', '.join(_rows(request.sent))}]"
    return f" with {rows}" if len("[]") < len(rows) <= SHORT else ""


def _rows(body: object) -> Iterator[str]:
    """Yield the rows of a scoring's body, each as JSON text; scalars are no rows."""
    value: Any = parsed(body) if isinstance(body, bytes) else None
    sections = value.get("input_data") if isinstance(value, dict) else None
    for section in sections if isinstance(sections, list) else ():
        values = section.get("values") if isinstance(section, dict) else None
        for row in values if isinstance(values, list) else ():
            if isinstance(row, (list, dict)):
                yield json.dumps(row, ensure_ascii=False)


def _holding(rows: list[str], recorded: list[Interaction]) -> Iterator[Interaction]:
    """Yield the interactions in whose body one of the first rows stands, up to a bound."""
    bodies = [one.body for one in recorded if isinstance(one.body, bytes)]
    total = sum(map(len, bodies))
    looked_for = [row.encode("utf-8", "surrogatepass") for row in rows[: max(1, min(_ROWS, _SEARCHED // (total + 1)))]]
    left = _READ
    for one, body in zip(recorded, bodies, strict=True):
        if left > 0 and any(row in body for row in looked_for):
            left -= len(body)
            yield one


def _shown(batch: list[str]) -> str:
    return short([json.loads(row) for row in batch])
