"""TensorFlow's data types and shapes, as its files number them.

Source: tensorflow/core/framework/types.proto and tensor_shape.proto.
"""

from __future__ import annotations

from pytest_wml.model.protobuf import Message
from pytest_wml.model.signature import Shape

_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    29: "int4",
    30: "uint4",
}

# A reference to a tensor (TensorFlow 1 variables) has its type's number plus this.
_REFERENCE = 100


def dtype_name(number: int) -> str:
    """Give a data type's numpy-like name; one that this table lacks is shown by its number."""
    return _DTYPES.get(number % _REFERENCE, f"type {number}")


def shape_of(message: Message) -> Shape:
    """Read a TensorShapeProto: a length a dimension, None where unknown; None for an unknown rank."""
    if message.integer(3):
        return None
    lengths = [dimension.signed(1) for dimension in message.messages(2)]
    return tuple(None if length < 0 else length for length in lengths)
