"""The recording of a lifecycle with a model of 36 MB: store, deploy, score, delete; beside vcrpy's."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.making import savedmodel
from tests.benchmarks.processes import pytest, python, run

_TEST = """
def test_scored(wml_deployment, wml_digits):
    wml_deployment.predict([wml_digits[5], wml_digits[4]])
"""
_VCR = """
import sys, time
from pathlib import Path
import vcr
from pytest_wml.client.safe_client import safe_client
from pytest_wml.config.credentials import OFFLINE
from pytest_wml.client.deployment import deployed
from pytest_wml.digits import load_digits
from pytest_wml.interception import Door
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.model.archive import read_archive

digits, archive = load_digits(), read_archive(sys.argv[1])
door = Door(EmbeddedWML(), fail_closed=False)
door.open()
with vcr.use_cassette("theirs.yaml"), safe_client(OFFLINE) as client:
    place = {"model_type": "tensorflow_2.14", "spec": "runtime-24.1-py3.11", "mode": "embedded"}
    with deployed(client, archive, name="model", **place) as deployment:
        deployment.predict([digits[5], digits[4]])
door.close()
"""


def measure(*, quick: bool) -> Measured:
    del quick  # it takes seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = savedmodel(folder / "model", 36)
        run(python(folder, "-c", "from pytest_wml.model.packing import pack; pack('model', 'model.tar.gz')"))
        (folder / "test_scored.py").write_text(_TEST)
        (folder / "pytest.ini").write_text("[pytest]\nwml_model = model.tar.gz\n")
        ours = run(pytest(folder, "-p", "pytest_wml.plugin", "--wml=embedded", "--wml-record"))
        theirs = run(python(folder, "-c", _VCR, "model.tar.gz"))
        sizes = [(folder / file).stat().st_size / 1e6 for file in ("cassettes/model.yaml", "theirs.yaml")]
        archive = (folder / "model.tar.gz").stat().st_size / 1e6
        del model
    figures = [
        Figure("recording of a lifecycle with a model of 36 MB", "MB", sizes[:1], "vcrpy's", sizes[1:], goal=0.01),
        Figure("peak memory of recording it", "MiB", [ours.peak], "vcrpy", [theirs.peak]),
    ]
    return Measured(figures, f"the two images that are scored; the archive of {archive:.0f} MB is kept as its digests")
