"""Peak memory of a test that stores a model, in replay and on the embedded service, as the archive grows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.making import savedmodel
from tests.benchmarks.processes import pytest, python, run

_SMALL, _LARGE = 4, 400
_TEST = """
def test_stored(wml_client):
    names = wml_client.repository.ModelMetaNames
    spec = wml_client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
    properties = {names.NAME: "m", names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
    details = wml_client.repository.store_model(model="model.tar.gz", meta_props=properties)
    wml_client.repository.delete(details["metadata"]["id"])
"""


def measure(*, quick: bool) -> Measured:
    times, large = (1, 40) if quick else (3, _LARGE)
    peaks: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for megabytes in (_SMALL, large):
            folder = Path(name, str(megabytes))
            folder.mkdir()
            model = savedmodel(folder / "model", megabytes)
            run(python(folder, "-c", "from pytest_wml.model.packing import pack; pack('model', 'model.tar.gz')"))
            del model
            (folder / "pytest.ini").write_text("[pytest]\n")
            (folder / "test_stored.py").write_text(_TEST)
            run(pytest(folder, "-p", "pytest_wml.plugin", "--wml=embedded", "--wml-record"))
            for mode in ("replay", "embedded"):
                ran = [run(pytest(folder, "-p", "pytest_wml.plugin", f"--wml={mode}")) for _ in range(times)]
                peaks[mode, megabytes] = [one.peak for one in ran]
    titles = {"replay": "replay of an upload", "embedded": "an upload to the embedded service"}
    figures = [
        Figure(
            f"peak memory of {title}, {large} MB",
            "MiB",
            peaks[mode, large],
            f"{_SMALL} MB",
            peaks[mode, _SMALL],
            goal=1.1,
        )
        for mode, title in titles.items()
    ]
    return Measured(figures, "IBM's client and what it imports; archives pass through files, a piece at a time")
