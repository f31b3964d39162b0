"""The tables in `pytest_wml/data` that say what IBM's service has."""

from __future__ import annotations

import csv
from importlib import resources


def rows(file: str) -> list[dict[str, str]]:
    """The rows of a table, by the names in its first line; lines that begin with `#` are comments.

    Args:
        file: name of the table, such as `model_types.tsv`: columns separated by tabs.
    """
    text = (resources.files("pytest_wml") / "data" / file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
