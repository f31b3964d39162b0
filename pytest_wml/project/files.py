"""What a new model repository holds: path → content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pytest_wml.choices import named_after
from pytest_wml.contract_files import schema
from pytest_wml.contract_files.command import first_files
from pytest_wml.errors import BadArchive
from pytest_wml.model.packing import pack
from pytest_wml.table import CONTRACT_FILE

_MODEL = "pump.tar.gz"
"""The model that the template's files name."""
_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")


Files = dict[str, bytes | Path]
"""Path → content, or the file that is copied there."""


def complete() -> Files:
    """A repository with a model of its own and the recording of its deployment."""
    return {**_template("common"), **_template("pump"), schema.NAME: schema.text().encode()}


def around(model: Path, folder: Path) -> Files:
    """A repository for a model that is there, which is copied; its first contract is made from its signature.

    Args:
        model: an archive, or a SavedModel's folder, which is packed.
        folder: where the repository will be.

    Raises:
        BadArchive: it cannot be read, or is no SavedModel.
    """
    if not (model.is_dir() or model.name.endswith(_ARCHIVES)):
        raise BadArchive("The model is no archive.", file=model, fix="give a .tar.gz, a .zip or a SavedModel's folder")
    name = model.resolve().name + (".tar.gz" if model.is_dir() else "")
    placed = folder / name
    contract = first_files(model, placed, folder / (named_after(placed) + CONTRACT_FILE))
    common = {path: text.replace(_MODEL.encode(), name.encode()) for path, text in _template("common").items()}
    copied = {} if model.resolve() == placed.resolve() else {name: _packed(model) if model.is_dir() else model}
    return {**common, **_template("own"), schema.NAME: schema.text().encode(), **copied, **contract}


def _packed(model: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return pack(model, Path(folder, "model.tar.gz")).path.read_bytes()


def _template(part: str) -> dict[str, bytes]:
    return dict(_below(files("pytest_wml.project") / "template" / part, ""))


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            # pip compiles what it installs, so that bytecode lies beside the template's Python files.
            if entry.name != "__pycache__":
                yield from _below(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
