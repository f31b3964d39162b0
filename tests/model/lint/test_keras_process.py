"""A Keras file is read in a process of its own: what breaks or hangs there is told."""

from __future__ import annotations

import os
import zipfile

import pytest

from pytest_wml.model.lint.keras_process import read_in_subprocess
from pytest_wml.model.lint.linter import lint
from pytest_wml.model.serving import LoadFailed
from tests.model.lint.packing import TENSORFLOW

pytestmark = pytest.mark.slow
pytest.importorskip("h5py")

METADATA = '{"keras_version": "3.0.0"}'


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_who_does_not_come_back_is_ended(tmp_path):
    """Such as a file that gives nothing."""
    os.mkfifo(tmp_path / "model.h5")
    with pytest.raises(LoadFailed, match=r"could not be read within 0\.5 s"):
        read_in_subprocess(tmp_path, deadline=0.5)


def test_what_is_larger_than_memory_takes_only_the_other_process(tmp_path):
    """A configuration of 5 GB, packed to 5 MB."""
    pytest.importorskip("resource")
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", METADATA)
        with archive.open("config.json", "w", force_zip64=True) as config:
            for _ in range(500):
                config.write(b" " * (10 << 20))
    found = {finding.code: finding for finding in lint(path, TENSORFLOW)}
    assert found["keras-file"].found == "What reads the file broke: exit status 1: MemoryError."


@pytest.mark.parametrize("config", ["[" * 100_000, "[]", '{"config": 1}', "7"])
def test_a_configuration_of_nothing_is_no_traceback(tmp_path, config):
    """Whatever comes out is told, or is none of lint's business."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", METADATA)
        archive.writestr("config.json", config)
    assert {"keras-file", "keras-3-file"} & {finding.code for finding in lint(path, TENSORFLOW)}


def test_bytes_changed_anywhere_are_no_traceback(tmp_path):
    """In the headers of HDF5, of which there are many."""
    import h5py

    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.14.0"
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": []}}'
    sound = path.read_bytes()
    for place in range(0, len(sound), len(sound) // 12):
        path.write_bytes(sound[:place] + b"\xff" * 8 + sound[place + 8 :])
        assert {"keras-file", "version", "written-by"} & {finding.code for finding in lint(path, TENSORFLOW)}
