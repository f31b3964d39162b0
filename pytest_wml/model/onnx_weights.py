"""ONNX models whose weights lie in files beside them.

Field numbers: onnx/onnx.proto, messages ModelProto, GraphProto, TensorProto, StringStringEntryProto.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pytest_wml.errors import BadArchive
from pytest_wml.model.contents import ArchiveFile
from pytest_wml.model.digest import mapped
from pytest_wml.model.members import safe_name
from pytest_wml.model.protobuf import Message

_GRAPH, _INITIALIZER, _EXTERNAL_DATA, _DATA_LOCATION = 7, 5, 13, 14
_KEY, _VALUE = 1, 2


def files_beside(model: Path) -> dict[str, Path]:
    """The files that hold the weights of an ONNX model: name relative to the model → path; none for most models.

    Raises:
        BadArchive: one is missing, or its name leads out of the model's folder.
    """
    found = {}
    for location in _locations(model):
        name = safe_name(location)
        path = model.parent / name
        if not path.is_file():
            fix = "put the file beside the model, or save the model in one file: onnx.save(model, path)"
            raise BadArchive("A file with weights of the ONNX model is missing.", model=model, missing=path, fix=fix)
        found[name] = path
    return found


def _locations(model: Path) -> set[str]:
    found = set()
    # A damaged model is reported by what loads it.
    with mapped(ArchiveFile(model.stat().st_size, "", model)) as data, suppress(BadArchive):
        for tensor in Message(data).message(_GRAPH).messages(_INITIALIZER):
            if tensor.integer(_DATA_LOCATION):
                entries = {entry.text(_KEY): entry.text(_VALUE) for entry in tensor.messages(_EXTERNAL_DATA)}
                found.add(entries.get("location", ""))
    return found - {""}
