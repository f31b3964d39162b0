"""What was measured so far, as a file and as the page RESULTS.md."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Measured, told

HERE = Path(__file__).parent
DATA, PAGE = HERE / "results.json", HERE / "RESULTS.md"
Rows = dict[str, Any]

_HEAD = """\
# Measured

Written by `tox run -e bench`; `tests/benchmarks/measure.py --help` says how to measure one row again. Each figure is a
median, in brackets the least and the most of its samples. What is compared was run in turn, A B A B …; a ratio is the
median of the pairs' ratios. Processor time (user and system, children included) stands beside wall time where other
work on the machine would drown what is measured. No test asserts any of this.
"""


def load() -> Rows:
    """What is kept; nothing on the first run."""
    return json.loads(DATA.read_text()) if DATA.exists() else {}


def save(rows: Rows, order: list[str]) -> None:
    """Keep the rows and write the page, each in one step."""
    ordered = {row: rows[row] for row in order if row in rows}
    _write(DATA, json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
    _write(PAGE, page(ordered))


def fresh(row: Any, now: dict[str, str]) -> bool:
    """Whether a row was measured on this machine with this version."""
    passing = {"date": "", "load": ""}
    return row is not None and row["machine"] | passing == now | passing


def table(rows: Rows) -> str:
    """Every figure, a line each."""
    lines = ["| what | pytest-wml | beside | its figure | compared | to reach | met |", "|---|---|---|---|---|---|---|"]
    for row in rows.values():
        for figure in Measured.from_json(row).figures:
            met = {True: "yes", False: "**no**", None: ""}[figure.met]
            cells = (
                figure.what,
                told(figure.ours, figure.unit),
                figure.beside,
                told(figure.theirs, figure.unit),
                figure.compared,
                figure.to_reach,
                met,
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(rows: Rows) -> str:
    """RESULTS.md."""
    parts = [_HEAD, table(rows), "\n## What limits each row now\n"]
    for name, row in rows.items():
        parts.append(f"- **{name}**: {row['limit']}")
        parts += [f"  - {note}" for note in row.get("notes", ())]
    parts.append("\n## Where\n")
    places: dict[str, list[str]] = {}
    for name, row in rows.items():
        places.setdefault("; ".join(f"{key} {value}" for key, value in row["machine"].items()), []).append(name)
    parts += [f"- {', '.join(names)}: {place}" for place, names in places.items()]
    return "\n".join(parts) + "\n"


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
