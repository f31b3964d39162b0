"""What a new model repository holds: path → content."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wml.config.table import CONTRACT_FILE, MODEL_TYPE, SOFTWARE_SPEC
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

if TYPE_CHECKING:
    pass

_MODEL = "pump.tar.gz"
"""The model that the template's files name."""
_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
_INI = "pytest.ini"
_PICKLE = b"""\
# A pickle is a program; the embedded service runs it only where that is allowed, for models of people you trust.
# wml_allow_pickle = yes
"""

Files = dict[str, bytes | Path]
"""Path → content, or the file that is copied there."""


def complete() -> Files:
    """A repository with a model of its own and the recording of its deployment."""
    return {**_template("common"), **_template("pump"), schema.FILE_NAME: schema.shipped_schema().encode()}


def around(model: Path, folder: Path) -> Files:
    """A repository for a model that is there, which is copied; first tests are made from its signature.

    Args:
        model: an archive, a model that is one file, or a folder, which is packed.
        folder: where the repository will be.

    Raises:
        BadArchive: it cannot be read, or no model is recognised.
    """
    if not model.exists():
        raise BadArchive(
            f"There is no model at {model}.",
            looked_in=Path.cwd(),
            fix="check the path; it counts from the current folder",
        )
    kind, signature = recognise(model).kind, read_archive(model).signature
    name = model.resolve().name + (".tar.gz" if model.is_dir() else "")
    placed = folder / name
    contract = named_after(placed) + CONTRACT_FILE
    words = {
        "MODEL_NAME": named_after(placed),
        "MODEL_FILE": name,
        "MODEL_SIGNATURE": f"`{signature}`" if signature else stored_as(kind.frameworks).model_type,
        "CONTRACT_FILE": contract,
    }
    tests: Files = {"test_model.py": first_test(signature, contract).encode()}
    copied = {} if model.resolve() == placed.resolve() else _copied(model, name)
    made = first_files(model, placed, folder / contract)
    return {**_around(name, kind, words), **tests, schema.FILE_NAME: schema.shipped_schema().encode(), **copied, **made}


def _around(name: str, kind: ModelKind, words: Mapping[str, str]) -> dict[str, bytes]:
    """The files that every repository has, for a model of another name and kind than the template's."""
    stored = stored_as(kind.frameworks)
    changes = {
        **words,
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
            # pip compiles what it installs, so that bytecode lies beside the template's Python files.
            if entry.name != "__pycache__":
                yield from _below(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
