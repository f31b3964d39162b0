"""Generates the files of a new model repository: path → content."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pytest_wml.config.option_table import CONTRACT_FILE, MODEL_TYPE, SOFTWARE_SPEC
from pytest_wml.contract.files import schema
from pytest_wml.errors import BadArchive
from pytest_wml.model.archive import read_archive
from pytest_wml.model.kinds import ONNX_FILES, ModelKind, stored_as
from pytest_wml.model.onnx_weights import files_beside
from pytest_wml.model.packing import pack
from pytest_wml.model.recognition import recognise
from pytest_wml.runner.configuration import named_after
from pytest_wml.tools.contract import first_files
from pytest_wml.tools.init.example import first_test

_MODEL = "pump.tar.gz"
"""File name of the model in the template."""
_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
_INI = "pytest.ini"
_PICKLE = b"""\
# A pickle is a program. The embedded service runs it only if you allow it; allow it only for models that you trust.
# wml_allow_pickle = yes
"""

Files = dict[str, bytes | Path]
"""Path → content, or the path of a file to copy."""


def complete() -> Files:
    """The files of a repository with a sample model and the recording of its deployment."""
    return {**_template("common"), **_template("pump"), schema.FILE_NAME: schema.shipped_schema().encode()}


def around(model: Path, folder: Path) -> Files:
    """The files of a repository for an existing model, with first tests from its signature; the model is copied.

    Args:
        model: an archive, a model file, or a folder, which is packed.
        folder: path of the repository.

    Raises:
        BadArchive: the model cannot be read, or is not recognised.
    """
    if not model.exists():
        raise BadArchive(
            f"There is no model at {model}.",
            looked_in=Path.cwd(),
            fix="check the path, which is relative to the current folder",
        )
    kind, signature = recognise(model).kind, read_archive(model).signature
    name = model.resolve().name + (".tar.gz" if model.is_dir() else "")
    placed = folder / name
    contract = named_after(placed) + CONTRACT_FILE
    replacements = {
        "MODEL_NAME": named_after(placed),
        "MODEL_FILE": name,
        "MODEL_SIGNATURE": f"`{signature}`" if signature else stored_as(kind.frameworks).model_type,
        "CONTRACT_FILE": contract,
    }
    tests: Files = {"test_model.py": first_test(signature, contract).encode()}
    copied = {} if model.resolve() == placed.resolve() else _copied(model, name)
    made = first_files(model, placed, folder / contract)
    return {
        **_adapted_template(name, kind, replacements),
        **tests,
        schema.FILE_NAME: schema.shipped_schema().encode(),
        **copied,
        **made,
    }


def _adapted_template(name: str, kind: ModelKind, replacements: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the template, adapted to the name and kind of the model."""
    stored = stored_as(kind.frameworks)
    changes = {
        **replacements,
        _MODEL: name,
        MODEL_TYPE: stored.model_type,
        SOFTWARE_SPEC: stored.software_spec,
        "[wml,tensorflow]": f"[{','.join(filter(None, ['wml', kind.extra]))}]",
        "[tensorflow]": f"[{kind.extra or 'wml'}]",
        '"*.tar.gz"': json.dumps(next(("*" + ending for ending in _ARCHIVES if name.endswith(ending)), name)),
    }
    if kind.extra != "tensorflow":
        changes |= {" by TensorFlow": "", "no TensorFlow": "no framework", ", TensorFlow too": ", its framework too"}
    files = {**_template("common"), **_template("own")}
    for before, after in changes.items():
        files = {path: text.replace(before.encode(), after.encode()) for path, text in files.items()}
    return {**files, _INI: files[_INI] + _PICKLE} if kind.pickled else files


def _copied(model: Path, name: str) -> Files:
    if model.is_dir():
        return {name: _packed(model)}
    return {name: model, **(files_beside(model) if name.lower().endswith(ONNX_FILES) else {})}


def _packed(model: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return pack(model, Path(folder, "model.tar.gz")).path.read_bytes()


def _template(part: str) -> dict[str, bytes]:
    return dict(_below(files("pytest_wml.tools.init") / "template" / part, ""))


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            # pip compiles installed files, so that bytecode exists beside the template's Python files.
            if entry.name != "__pycache__":
                yield from _below(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
