"""Rows of a table, as models other than networks take and give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pytest_wml.emulator.runtimes.protocol import BadInput
from pytest_wml.emulator.runtimes.tensors import Array


def listed(element: Mapping[str, Any]) -> list[Any]:
    """The rows of an element of `input_data`: lists of one length, or single values.

    Raises:
        BadInput: no list, lists and single values side by side, or lists of several lengths.
    """
    values = element["values"]
    if not isinstance(values, list):
        raise BadInput("'values' must be a list of rows.")
    lengths = {len(row) if isinstance(row, list) else None for row in values}
    if len(lengths) > 1:
        found = ", ".join(sorted("a single value" if length is None else str(length) for length in lengths))
        raise BadInput(f"The rows have different lengths: {found}.")
    return values


def array(rows: list[Any]) -> Array:
    """Rows as an array: of doubles where all are numbers, null being NaN; else of objects.

    numpy's own choice would make strings of the numbers beside a string.
    """
    try:
        if not _has_text(rows):
            return np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    return np.array(rows, dtype=object)


def named_columns(element: Mapping[str, Any], rows: list[Any]) -> list[str] | None:
    """The names of the columns, None where there are none.

    Raises:
        BadInput: `fields` is no list of names, or their number is not that of the columns.
    """
    fields = element.get("fields")
    if not fields:
        return None
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise BadInput("'fields' must be a list of the names of the columns.")
    if rows and isinstance(rows[0], list) and len(rows[0]) != len(fields):
        raise BadInput(f"'fields' names {len(fields)} columns, and the rows have {len(rows[0])}.")
    return fields


def table(**columns: Any) -> dict[str, Any]:
    """An element of `predictions` from its columns, each as long as there are rows; None is left out."""
    given = {name: column for name, column in columns.items() if column is not None}
    return {"fields": list(given), "values": [list(row) for row in zip(*given.values(), strict=True)]}


def plain(values: Any) -> list[Any]:
    """An array as lists of what JSON can carry; a sparse matrix with its zeros."""
    listed: list[Any] = np.asarray(values.toarray() if hasattr(values, "toarray") else values).tolist()
    return listed


def _has_text(rows: list[Any]) -> bool:
    return any(isinstance(value, str) for row in rows for value in (row if isinstance(row, list) else (row,)))
