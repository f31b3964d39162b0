"""A suite of 200 contract tests under `-n 2` beside `-n 0`, on the embedded service and in replay."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Command, Ran, in_turn, pytest, run

_TEST = """
import numpy as np
import pytest


@pytest.mark.parametrize("number", range({count}))
def test_probabilities(wml_contract, wml_digits, number):
    wml_contract.probabilities(wml_digits.images[[number % 100]] * np.float32(1 - number / 1000))
"""
_CONFTEST = """
import os, pytest


@pytest.fixture(scope="session")
def wml_trained_cnn(wml_trained_cnn):
    with open("trained.txt", "a") as file:
        file.write(f"{wml_trained_cnn.from_cache}\\n")
    return wml_trained_cnn
"""


def measure(*, quick: bool) -> Measured:
    count = 40 if quick else 200
    with tempfile.TemporaryDirectory() as name:
        two = Path(name, "two")
        two.mkdir()
        (two / "test_digits.py").write_text(_TEST.format(count=count))
        (two / "conftest.py").write_text(_CONFTEST)
        (two / "pytest.ini").write_text("[pytest]\nwml_model = train\nwml_name = digits\n")
        run(_run(two, 2, "--wml=embedded", "--wml-record"))
        trained = (two / "trained.txt").read_text().split()
        parted, alone = (_with_its_archive(two, Path(name, where)) for where in ("parted", "alone"))
        run(_run(parted, 2, "--wml=embedded", "--wml-record"))
        run(_run(alone, 0, "--wml=embedded", "--wml-record"))
        same = bool(_recorded(alone)) and _recorded(parted) == _recorded(alone)
        figures, results = [], set()
        for mode in ("embedded", "replay"):
            runs = in_turn(1 if quick else 2, _run(two, 2, f"--wml={mode}"), _run(two, 0, f"--wml={mode}"), warm=0)
            results |= {(mode, _passed(ran)) for one in runs for ran in one}
            what = f"{count} contract tests under -n 2, {mode}"
            parallel, serial = runs
            figures += [
                Figure(what, "s", [ran.wall for ran in parallel], "-n 0", [ran.wall for ran in serial]),
                Figure(f"{what}, processor time", "s", [r.cpu for r in parallel], "-n 0", [r.cpu for r in serial]),
            ]
    trainings = trained.count("False")
    notes = [
        f"the first run, -n 2 with an empty cache: {trainings} training{'s' * (trainings != 1)} "
        f"for {len(trained)} workers that asked for the network",
        f"the recordings of -n 2 and of -n 0, of one archive, are {'the same' if same else 'NOT the same'}",
        "results: " + ", ".join(f"{mode} {passed}" for mode, passed in sorted(results)),
    ]
    return Measured(
        figures, "each worker imports IBM's client (and TensorFlow) for itself, and both share two cores", notes
    )


def _with_its_archive(folder: Path, copy: Path) -> Path:
    """The same suite with an archive that the first run packed: each export of the network is another archive."""
    copy.mkdir()
    for name in ("test_digits.py", "conftest.py"):
        shutil.copy(folder / name, copy)
    (packed,) = folder.rglob("digits.tar.gz")
    shutil.copy(packed, copy)
    (copy / "pytest.ini").write_text("[pytest]\nwml_model = digits.tar.gz\nwml_name = digits\n")
    return copy


def _run(folder: Path, workers: int, *arguments: str) -> Command:
    made = pytest(folder, "-p", "pytest_wml.plugin", "-p", "xdist.plugin", "-n", str(workers), *arguments)
    # The cache is where trained networks are kept.
    kept = [one for one in made.arguments if one != "no:cacheprovider"]
    kept.remove("-p")
    return made._replace(arguments=kept)


def _recorded(folder: Path) -> dict[str, object]:
    return {file.name: json.loads(file.read_text())["interactions"] for file in (folder / "cassettes").glob("*.yaml")}


def _passed(ran: Ran) -> str:
    found = re.search(r"\d+ passed[^\n]*?(?= in )", ran.said)
    return found[0] if found else "no result"
