"""Packaging a SavedModel of 400 MB beside `tar czf`; how the memory of it grows with the model."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.making import savedmodel
from tests.benchmarks.processes import Command, in_turn, python, run

_SMALL, _LARGE = 40, 400
_PACK = "import sys; from pytest_wml.model.packing import pack; pack(sys.argv[1], sys.argv[2])"
_DIGEST = "import sys; from pytest_wml.model.archive import read_archive; read_archive(sys.argv[1])"


def measure(*, quick: bool) -> Measured:
    large = _SMALL if quick else _LARGE
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        model = savedmodel(place / "large", large)
        few = savedmodel(place / "small", large // 10)
        pack = python(place, "-c", _PACK, model, "ours.tar.gz")
        tar = Command(["tar", "-C", model, "-czf", place / "theirs.tar.gz", "."], place)
        times = 1 if quick else 3
        ours, theirs = in_turn(times, pack, tar, warm=0)
        small = [run(python(place, "-c", _PACK, few, "small.tar.gz")) for _ in range(times)]
        digest = run(python(place, "-c", _DIGEST, model))
        sizes = [(place / archive).stat().st_size / 1e6 for archive in ("ours.tar.gz", "theirs.tar.gz")]
        what = f"packaging a SavedModel of {large} MB"
        figures = [
            Figure(what, "s", [ran.wall for ran in ours], "tar czf", [ran.wall for ran in theirs], goal=1.0),
            Figure(f"{what}, processor time", "s", [ran.cpu for ran in ours], "tar czf", [ran.cpu for ran in theirs]),
            Figure("the archive's size", "MB", sizes[:1], "tar czf", sizes[1:], goal=1.001),
            Figure(
                f"{what}, peak memory",
                "MiB",
                [ran.peak for ran in ours],
                f"packaging {large // 10} MB",
                [ran.peak for ran in small],
                goal=1.5,
            ),
        ]
        if shutil.which("pigz"):
            pigz = Command(["tar", "-C", model, "-I", "pigz", "-cf", place / "pigz.tar.gz", "."], place)
            figures.insert(1, Figure(what, "s", [ran.wall for ran in ours], "tar | pigz", [run(pigz).wall]))
    share = digest.cpu / min(ran.cpu for ran in ours)
    return Measured(figures, f"zlib, in a thread a processor; the digests are {share:.0%} of the processor time")
