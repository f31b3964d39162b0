"""The start of pytest in a project that does not use WML: without a plugin, with ours, with pytest-recording."""

from __future__ import annotations

import re
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Ran, in_turn, pytest, python, run

_OURS, _RECORDING = "pytest_wml.plugin", "pytest_recording.plugin"


def measure(*, quick: bool) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        bare, ours, recording = in_turn(
            5 if quick else 40,
            pytest(folder),
            pytest(folder, "-p", _OURS),
            pytest(folder, "-p", _RECORDING),
            warm=2,
        )
        imported = _imported(folder)
    clocks: dict[str, Callable[[Ran], float]] = {
        "wall time": lambda ran: ran.wall,
        "processor time": lambda ran: ran.cpu,
    }
    figures = []
    for clock, read in clocks.items():
        alone, with_ours, with_theirs = ([1000 * read(ran) for ran in runs] for runs in (bare, ours, recording))
        what = f"start of pytest without WML, {clock}"
        figures += [
            Figure(what, "ms", with_ours, "pytest without a plugin", alone, "added", goal=10),
            Figure(what, "ms", with_ours, "pytest with pytest-recording", with_theirs, "added", goal=0),
        ]
    share = 1000 * statistics.median(one.wall - other.wall for one, other in zip(ours, bare, strict=True))
    return Measured(
        figures, f"imports of {imported:.1f} ms by -X importtime, of {share:.1f} ms; the rest are its options and hooks"
    )


def _imported(folder: Path) -> float:
    """Milliseconds of importing the plugin after pytest, by Python's own account; the least of five."""
    command = python(folder, "-X", "importtime", "-c", f"import pytest, {_OURS}")
    line = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| (pytest_wml\S*)$", re.MULTILINE)
    found = []
    for _ in range(5):
        top = [(int(one[1]), one[2]) for one in line.finditer(run(command).said)]
        found.append(sum(microseconds for microseconds, name in top if name in ("pytest_wml", _OURS)) / 1000)
    return min(found)
