"""Kinds of values about rows and tensors: an example's row, a tensor's type, an image's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_wml.contract.files.kinds import FileName, describe, scalar_value
from pytest_wml.contract.files.mistakes import mistake, read_all, unknown_word
from pytest_wml.contract.files.nodes import Entries, Items, Node, Scalar

IMAGES = (".png", ".npy")
_FORMS = "a .png or .npy file, a number, a text or a list of them"
_VALUE = "#/definitions/value"

Value = Any
"""A number, text, or nested lists of them; a `FileName`."""
Row = Any
"""A value; or a mapping of input names to values."""


class OneRow:
    """One row: a file, numbers or text, or one of these for each input."""

    def read(self, node: Node) -> Row:
        if not isinstance(node, Entries):
            return _value(node)
        if not node.entries:
            raise mistake(node.place, "the mapping of the model's inputs is empty")
        values = list(read_all(partial(_value, value) for _, value in node.entries))
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
    value = scalar_value(node)
    if value is None:
        raise mistake(node.place, f"{_FORMS} is required here, not {describe(node)}")
    if isinstance(value, str) and value.lower().endswith(IMAGES):
        return FileName(value, node.place)
    return value


def _shaped(node: Node) -> tuple[Value, tuple[int, ...]]:
    """Nested lists and their shape; all lists at one depth have the same length."""
    if isinstance(node, Scalar):
        value = scalar_value(node)
        if value is None:
            raise mistake(node.place, "a number or a text is required here, not nothing")
        return value, ()
    if not isinstance(node, Items) or not node.items:
        raise mistake(node.place, f"a list with one entry or more is required here, not {describe(node)}")
    values, shapes = zip(*(_shaped(item) for item in node.items), strict=True)
    for item, shape in zip(node.items, shapes, strict=True):
        if shape != shapes[0]:
            raise mistake(
                item.place,
                f"this entry has shape {list(shape)}, but the first entry of its list has shape {list(shapes[0])}",
            )
    return list(values), (len(values), *shapes[0])


@dataclass(frozen=True)
class TensorType:
    """The type and shape of an input or output, such as `float32 [any, 784]`."""

    def read(self, node: Node) -> tuple[str, list[int | None]]:
        text = node.text if isinstance(node, Scalar) else ""
        dtype, bracket, lengths = text.partition("[")
        dtype = dtype.strip()
        if dtype not in DTYPES and dtype.isalnum():
            raise mistake(node.place, unknown_word(describe(node), dtype, DTYPES))
        words = [word.strip() for word in lengths.removesuffix("]").split(",") if word.strip()]
        known = all(word in _ANY or (word.isdecimal() and len(word) < 10) for word in words)
        if dtype not in DTYPES or not bracket or not text.rstrip().endswith("]") or not known:
            raise mistake(
                node.place, f"a type and a shape such as float32 [any, 784] are required here, not {describe(node)}"
            )
        return dtype, [None if word in _ANY else int(word) for word in words]

    def schema(self) -> dict[str, Any]:
        length = "(?:any|None|[0-9]{1,9})"
        return {"type": "string", "pattern": f"^(?:{'|'.join(DTYPES)}) *\\[ *(?:{length}(?: *, *{length})*)? *\\]$"}


@dataclass(frozen=True)
class ImageShape:
    """Height and width of an image, and optionally its channels, such as `[28, 28]`."""

    def read(self, node: Node) -> tuple[int, ...]:
        lengths = [scalar_value(item) for item in node.items] if isinstance(node, Items) else []
        shape = tuple(length for length in lengths if type(length) is int and length > 0)
        if len(shape) not in (2, 3) or len(shape) != len(lengths):
            raise mistake(node.place, "[height, width] or [height, width, channels] is required here, in whole numbers")
        return shape

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "integer", "minimum": 1}}


DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"),
    *("uint64", "uint32", "uint16", "uint8", "string", "bool"),
)
_ANY = ("any", "None")


def files(row: Row) -> list[FileName]:
    """The files in a row."""
    values = row.values() if isinstance(row, Mapping) else [row]
    return [value for value in values if isinstance(value, FileName)]
