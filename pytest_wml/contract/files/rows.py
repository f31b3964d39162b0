"""One row of a contract file: a file, numbers or text written there, or one of these for each input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_wml.contract.files.kinds import FileName, found, plain
from pytest_wml.contract.files.mistakes import all_of, mistake, unknown
from pytest_wml.contract.files.nodes import Entries, Items, Node, Scalar

IMAGES = (".png", ".npy")
_FORMS = "a .png or .npy file, a number, a text or a list of them"
_VALUE = "#/definitions/value"

Value = Any
"""A number, text, or nested lists of them; a `FileName`."""
Row = Any
"""A value; or a mapping of input names to values."""


class OneRow:
    """What is sent as one row."""

    def read(self, node: Node) -> Row:
        if not isinstance(node, Entries):
            return _value(node)
        if not node.entries:
            raise mistake(node.place, "a mapping of the model's inputs belongs here, and it is empty")
        values = list(all_of(partial(_value, value) for _, value in node.entries))
        return dict(zip([key.text for key, _ in node.entries], values, strict=True))

    def schema(self) -> dict[str, Any]:
        named = {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": _VALUE}}
        return {"anyOf": [{"$ref": _VALUE}, named]}


DEFINITIONS = {
    "value": {
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {"type": "array", "minItems": 1, "items": {"$ref": _VALUE}},
        ]
    }
}


def _value(node: Node) -> Value:
    if isinstance(node, Items):
        values, _ = _shaped(node)
        return values
    value = plain(node)
    if value is None:
        raise mistake(node.place, f"{_FORMS} belongs here, not {found(node)}")
    if isinstance(value, str) and value.lower().endswith(IMAGES):
        return FileName(value, node.place)
    return value


def _shaped(node: Node) -> tuple[Value, tuple[int, ...]]:
    """Nested lists and their shape; every list in one depth has the same."""
    if isinstance(node, Scalar):
        value = plain(node)
        if value is None:
            raise mistake(node.place, "a number or a text belongs here, not nothing")
        return value, ()
    if not isinstance(node, Items) or not node.items:
        raise mistake(node.place, f"a list with one entry or more belongs here, not {found(node)}")
    values, shapes = zip(*(_shaped(item) for item in node.items), strict=True)
    for item, shape in zip(node.items, shapes, strict=True):
        if shape != shapes[0]:
            raise mistake(item.place, f"this has shape {list(shape)}, the first entry of its list {list(shapes[0])}")
    return list(values), (len(values), *shapes[0])


@dataclass(frozen=True)
class Tensor:
    """The type and shape of an input or output, as `float32 [any, 784]`."""

    def read(self, node: Node) -> tuple[str, list[int | None]]:
        text = node.text if isinstance(node, Scalar) else ""
        dtype, bracket, lengths = text.partition("[")
        dtype = dtype.strip()
        if dtype not in DTYPES and dtype.isalnum():
            raise mistake(node.place, unknown(found(node), dtype, DTYPES))
        words = [word.strip() for word in lengths.removesuffix("]").split(",") if word.strip()]
        known = all(word in _ANY or (word.isdecimal() and len(word) < 10) for word in words)
        if dtype not in DTYPES or not bracket or not text.rstrip().endswith("]") or not known:
            raise mistake(node.place, f"a type and a shape such as float32 [any, 784] belong here, not {found(node)}")
        return dtype, [None if word in _ANY else int(word) for word in words]

    def schema(self) -> dict[str, Any]:
        length = "(?:any|None|[0-9]{1,9})"
        return {"type": "string", "pattern": f"^(?:{'|'.join(DTYPES)}) *\\[ *(?:{length}(?: *, *{length})*)? *\\]$"}


@dataclass(frozen=True)
class ImageShape:
    """Height and width of an image, and its channels where it has some: `[28, 28]`."""

    def read(self, node: Node) -> tuple[int, ...]:
        lengths = [plain(item) for item in node.items] if isinstance(node, Items) else []
        shape = tuple(length for length in lengths if type(length) is int and length > 0)
        if len(shape) not in (2, 3) or len(shape) != len(lengths):
            raise mistake(node.place, "[height, width] or [height, width, channels] belongs here, in whole numbers")
        return shape

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "integer", "minimum": 1}}


DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"),
    *("uint64", "uint32", "uint16", "uint8", "string", "bool"),
)
_ANY = ("any", "None")


def files(row: Row) -> list[FileName]:
    """The files that a row names."""
    values = row.values() if isinstance(row, Mapping) else [row]
    return [value for value in values if isinstance(value, FileName)]
