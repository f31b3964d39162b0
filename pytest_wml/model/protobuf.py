"""Protocol-buffer messages read field by field, without generated code.

Format: https://protobuf.dev/programming-guides/encoding/. A message is split one level deep and only when it
is asked for, so a file nested a million levels deep costs no stack and a weight inside a graph is never
copied.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_wml.errors import BadArchive

# TensorFlow's largest graphs have some hundred thousand nodes; a file of empty fields must not fill the
# memory.
MOST_FIELDS = 1_000_000

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class Message:
    """One message, its fields reached by their numbers in the .proto file.

    Args:
        data: the message's bytes; kept and sliced, not copied.

    A field of an unexpected kind counts as absent, as protobuf itself has it.

    Raises:
        BadArchive: the bytes are no message.
    """

    __slots__ = ("_fields",)

    def __init__(self, data: memoryview) -> None:
        self._fields = _split(data)

    def integers(self, number: int) -> list[int]:
        """Give the unsigned values of a varint or fixed-width field."""
        return [value for value in self._fields.get(number, ()) if isinstance(value, int)]

    def chunks(self, number: int) -> list[memoryview]:
        """Give the bytes of every occurrence of a string, bytes or message field."""
        return [value for value in self._fields.get(number, ()) if isinstance(value, memoryview)]

    def integer(self, number: int) -> int:
        """Give the last value, as protobuf does for a field that is there twice, or 0."""
        values = self.integers(number)
        return values[-1] if values else 0

    def signed(self, number: int) -> int:
        """Give the last value of an int64 field, or 0."""
        value = self.integer(number)
        return value - (1 << 64) if value >> 63 else value

    def texts(self, number: int) -> list[str]:
        """Give every occurrence of a string field."""
        return [text(chunk) for chunk in self.chunks(number)]

    def text(self, number: int) -> str:
        """Give the last value of a string field, or an empty string."""
        return text(self.chunk(number))

    def chunk(self, number: int) -> memoryview:
        """Give the last occurrence's bytes, or none."""
        chunks = self.chunks(number)
        return chunks[-1] if chunks else memoryview(b"")

    def message(self, number: int) -> Message:
        """Give the last occurrence of a message field, or an empty message."""
        return Message(self.chunk(number))

    def messages(self, number: int) -> Iterator[Message]:
        """Give every occurrence of a message field, each split when it is its turn."""
        return map(Message, self.chunks(number))

    def mapping(self, number: int) -> dict[str, memoryview]:
        """Give a map field with string keys: key to the value's bytes."""
        return {entry.text(1): entry.chunk(2) for entry in self.messages(number)}


def text(chunk: memoryview) -> str:
    """Decode a string field; bytes that are no UTF-8 stay visible instead of failing."""
    return str(chunk, "utf-8", "backslashreplace")


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """Read a base-128 number of at most 64 bits: its value and the position behind it."""
    value = shift = 0
    while shift < 70:
        if position >= len(data):
            raise BadArchive("A protocol-buffer message ends within a number.")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise BadArchive("A protocol-buffer message holds a number of more than 64 bits.")


def _split(data: memoryview) -> dict[int, list[int | memoryview]]:
    found: dict[int, list[int | memoryview]] = {}
    position, count = 0, 0
    while position < len(data):
        tag, position = varint(data, position)
        value, position = _value(data, position, tag & 7)
        found.setdefault(tag >> 3, []).append(value)
        count += 1
        if count > MOST_FIELDS:
            raise BadArchive(f"A protocol-buffer message has more than {MOST_FIELDS:,} fields.")
    return found


def _value(data: memoryview, position: int, kind: int) -> tuple[int | memoryview, int]:
    if kind == _VARINT:
        return varint(data, position)
    if kind == _LENGTH:
        length, position = varint(data, position)
        return _slice(data, position, length), position + length
    if kind in (_FIXED64, _FIXED32):
        width = 8 if kind == _FIXED64 else 4
        return int.from_bytes(_slice(data, position, width), "little"), position + width
    raise BadArchive(f"A protocol-buffer message has a field of the unknown kind {kind}.")


def _slice(data: memoryview, position: int, length: int) -> memoryview:
    if length > len(data) - position:
        raise BadArchive("A protocol-buffer message ends within a field.")
    return data[position : position + length]
