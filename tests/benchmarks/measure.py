"""pytest-wml beside what a user would take instead, measured on this machine: `tox run -e bench`.

    python tests/benchmarks/measure.py [--only ROW …] [--quick] [--resume]

Each row runs in a process of its own; what is compared takes turns. Prints one table of ratios, keeps what was
measured in `tests/benchmarks/results.json` and writes `tests/benchmarks/RESULTS.md` from it. Nothing is asserted:
a machine's mood is no defect. `--resume` measures what this version on this machine has not measured yet.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Last, so that an installed wheel is measured and not the working tree; and no module here hides another one.
sys.path[:] = [*(place for place in sys.path if Path(place or ".").resolve() != HERE), str(ROOT)]

from tests.benchmarks import results  # noqa: E402 - the path above leads there
from tests.benchmarks.figures import Measured  # noqa: E402
from tests.benchmarks.machine import machine  # noqa: E402

ROWS = {
    "start": "starting",
    "suite": "suites",
    "replay": "replaying",
    "cassette": "recorded",
    "scoring": "scoring",
    "mlflow": "beside_mlflow",
    "lifecycle": "lifecycle",
    "packaging": "packing",
    "training": "training",
    "workers": "workers",
    "memory": "memory",
    "gpu": "training_gpu",
}
"""Rows in the order of the table, and the module of each."""


def main() -> int:
    given = _given()
    if given.alone:
        return _alone(given.alone, given.into, quick=given.quick)
    kept = results.load()
    if given.take:
        kept.update(json.loads(given.take.read_text()))
    chosen = [] if given.take or given.table else [row for row in ROWS if not given.only or row in given.only]
    if given.resume:
        chosen = [row for row in chosen if not results.fresh(kept.get(row), machine())]
    measured = {row: found for row in chosen if (found := _measured(row, kept, quick=given.quick))}
    if not chosen:
        results.save(kept, list(ROWS))
    print(results.table(measured if chosen else {row: kept[row] for row in ROWS if row in kept}))
    failed = [row for row in chosen if row not in measured]
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ROWS, help="this row; may be repeated; others are kept")
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it works; nothing is kept")
    parser.add_argument(
        "--resume", action="store_true", help="leave out what this machine has measured of this version"
    )
    parser.add_argument("--take", type=Path, metavar="FILE", help="take over a row that another machine measured")
    parser.add_argument("--table", action="store_true", help="measure nothing; write the page from what is kept")
    parser.add_argument("--alone", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(row: str, kept: results.Rows, *, quick: bool) -> results.Rows | None:
    """Measure a row, tell how long it took, and keep it at once: a later one may break."""
    begun = time.monotonic()
    print(f"{row} …", file=sys.stderr, flush=True)
    found = _in_a_process(row, quick=quick)
    print(f"{row}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if found is None:
        return None
    found = {**found, "machine": machine()}
    if found["figures"] or row not in kept:  # what needs another machine stays as that one measured it
        kept[row] = found
    if not quick:
        # Read again: another run may have kept a row meanwhile.
        results.save({**results.load(), row: kept[row]}, list(ROWS))
    return found


def _in_a_process(row: str, *, quick: bool) -> results.Rows | None:
    """A row in a fresh process; None where it failed, which the process has told."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "row.json")
        command = [sys.executable, __file__, "--alone", row, "--into", str(into), *(["--quick"] if quick else [])]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        ended = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, env=environment, check=False)
        return json.loads(into.read_text()) if ended.returncode == 0 else None


def _alone(row: str, into: Path, *, quick: bool) -> int:
    measured: Measured = importlib.import_module(f"tests.benchmarks.{ROWS[row]}").measure(quick=quick)
    into.write_text(json.dumps(measured.as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
