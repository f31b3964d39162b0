"""Keras models in a `.h5` or `.keras` file."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_wml.model.kinds import KERAS_FILES
from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.keras_process import read_in_subprocess
from pytest_wml.model.lint.saved_model import version_findings
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.upload import Upload
from pytest_wml.model.serving import LoadFailed


def findings(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of the Keras file at the root of an upload."""
    names = upload.at_root(KERAS_FILES)
    where = ", ".join(names)
    if importlib.util.find_spec("h5py") is None and not where.lower().endswith(".keras"):
        found = 'h5py is not installed, so the file was not looked into: pip install "pytest-wml[tensorflow]".'
        yield LintFinding(LintLevel.INFO, "not-read", found, where)
        return
    try:
        with tempfile.TemporaryDirectory(prefix="pytest-wml-") as folder:
            file = read_in_subprocess(_named(upload, names, Path(folder)))
    except LoadFailed as failure:
        fix = "pack one file alone, written by model.save(path): not the weights alone"
        yield LintFinding(LintLevel.ERROR, "keras-file", str(failure), where, fix, fails_to_load(str(failure)))
        return
    yield from version_findings(f"Keras {file.version}", target, where)
    if where.lower().endswith(".keras"):
        found = "IBM documents .h5 for Keras models; nobody was seen to deploy a .keras file."
        yield LintFinding(LintLevel.WARN, "keras-3-file", found, where, "export a SavedModel: model.export(folder)")
    if file.code:
        allowed = "pytest --wml=embedded --wml-allow-pickle, pytest-wml serve --allow-pickle"
        found = f"{file.code} The embedded service runs it only if it is allowed to: {allowed}."
        fix = "export a SavedModel, which has no Python in it: model.export(folder)"
        yield LintFinding(LintLevel.WARN, "python-code", found, where, fix, fails_to_load(file.code))
    if file.custom:
        found = f"It has classes or functions that are not Keras's own: {', '.join(file.custom)}."
        fix = (
            "export a SavedModel, which needs no class: model.export(folder); or deploy it with a software "
            "specification of your own that brings them"
        )
        yield LintFinding(
            LintLevel.WARN, "custom-class", found, where, fix, fails_to_load(_could_not_locate(file.custom))
        )


def _could_not_locate(names: tuple[str, ...]) -> str:
    return f"Could not locate {', '.join(repr(name.rpartition('>')[2]) for name in names)}."


def _named(upload: Upload, names: list[str], folder: Path) -> Path:
    """A folder with the files under their own names, which distinguish them."""
    for name in names:
        path = upload.files[name].path
        assert path is not None
        (folder / name).symlink_to(path.resolve())
    return folder
