"""What was refused outside the run's own process, written down there and read here: a file a refusal."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pytest_wml.interception.guard import NotThroughTheDoor
from pytest_wml.interception.guard_variable import VARIABLE


def report(folder: str, error: Exception, program: str) -> None:
    """Write down what was refused, for the process that guards this folder."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    problem = str(error).partition("\n")[0]
    told = {"problem": problem, "test": test, "program": program, "pid": os.getpid()}
    path = Path(folder, f"{os.getpid()}-{time.monotonic_ns()}")
    with contextlib.suppress(OSError):
        path.write_text(json.dumps(told), encoding="utf-8")
        path.rename(path.with_suffix(".json"))


def reported(folder: str, names: Iterable[str]) -> Iterator[NotThroughTheDoor]:
    """What these files of the folder tell, each deleted once it is read; what cannot be read is left out."""
    for name in names:
        path = Path(folder, name)
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            path.unlink()
            yield _error(told)
        except (OSError, ValueError, AttributeError):
            continue


def _error(told: dict[str, Any]) -> NotThroughTheDoor:
    return NotThroughTheDoor(
        told.get("problem")
        or f"A child process was refused a connection to {told.get('host')}: it would have left this machine for IBM.",
        started_by=told.get("test") or "this run, outside any test",
        program=f"{told.get('program')} (process {told.get('pid')})",
        known="only what is asked in the run's own processes is answered in this mode",
        fix=f"ask in the test's own process, or run with --wml=live; {VARIABLE} taken out of the environment\n"
        "of a process lets it go",
    )
