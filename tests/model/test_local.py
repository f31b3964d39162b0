"""A model run in this process: answers by name, and refusals that say what was wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_wml.errors import BadArchive, BadPayload, MissingExtra
from pytest_wml.model.frameworks import require
from pytest_wml.model.local import LocalModel
from pytest_wml.model.packing import pack
from tests.model.conftest import Models


def test_an_old_model_runs(models: Models, tmp_path: Path) -> None:
    """A TensorFlow 1 model answers one array with its only signature's outputs."""
    archive = pack(models.first / "old_style", tmp_path / "model.tar.gz")
    with LocalModel(archive.path) as model:
        answer = model.predict(np.zeros((2, 784)))
    assert answer["classes"].shape == (2,)


def test_several_inputs_go_by_name(models: Models) -> None:
    """A model with several inputs takes a mapping, and its strings come back as bytes."""
    model = LocalModel(models.first / "loops_and_tables")
    answer = model.predict({"x": np.ones((1, 3)), "word": ["bad", "good", "odd"], "twice": False})
    assert answer["number"].tolist() == [1, 0, -1]
    assert answer["names"].tolist() == [b"five", b"four"]
    with pytest.raises(BadPayload, match="wanted: twice, word, x\n  given: one array"):
        model.predict(np.ones((1, 3)))
    with pytest.raises(BadPayload, match="given: word, x"):
        model.predict({"x": np.ones((1, 3)), "word": ["bad"]})


def test_inputs_are_never_reshaped(sample: Path) -> None:
    """An image of 28 by 28 is refused with the shape that the model wants."""
    with LocalModel(sample) as model, pytest.raises(BadPayload) as caught:
        model.predict(np.zeros((1, 28, 28)))
    assert caught.value.facts["wanted"] == "image: float32 (None, 784)"
    assert caught.value.facts["given"] == "image: (1, 28, 28)"


def test_unpacked_files_are_deleted(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was unpacked for a model goes when it is closed, and a folder of the user's stays."""
    archive = pack(sample, tmp_path / "model.tar.gz")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with LocalModel(archive.path):
        assert len(list((tmp_path / "temporary").iterdir())) == 1
    assert list((tmp_path / "temporary").iterdir()) == []
    LocalModel(sample).close()
    assert (sample / "saved_model.pb").exists()


def test_what_tensorflow_cannot_load_is_a_bad_archive(models: Models, tmp_path: Path) -> None:
    """An archive without a SavedModel, and one whose checkpoint is gone, are refused."""
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(BadArchive, match=r"No saved_model\.pb at the root"):
        LocalModel(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes((models.first / "old_style" / "saved_model.pb").read_bytes())
    with pytest.raises(BadArchive, match="TensorFlow cannot load the SavedModel"):
        LocalModel(tmp_path)


def test_a_missing_package_is_named_with_its_extra() -> None:
    """What is not installed is named, with what needs it and the command that brings it."""
    require("pytest", "to run tests")
    with pytest.raises(MissingExtra) as caught:
        require("no_such_package", "to run a model in this process")
    assert str(caught.value).startswith(
        "The package no_such_package is needed to run a model in this process and is not installed.\n"
        '  what to do: pip install "pytest-wml[tensorflow]"'
    )
