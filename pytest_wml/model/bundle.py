"""The index of a TensorFlow checkpoint: which tensor lies where in the data files.

``variables.index`` is a LevelDB-style sorted table (tensorflow/core/lib/io/table_format.txt and format.cc)
from a tensor's key to a BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto). TensorFlow writes it
uncompressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_wml.errors import BadArchive
from pytest_wml.model.protobuf import Message, varint
from pytest_wml.model.signature import Shape
from pytest_wml.model.tensors import dtype_name, shape_of

_FOOTER_BYTES = 48
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
# Behind each block: its compression and a checksum.
_TRAILER_BYTES = 5
# A key repeats the start of the one before it for three bytes, so a small table can unfold to a huge one.
_MOST_KEY_BYTES = 256 << 20


@dataclass(frozen=True)
class Entry:
    """One tensor, or one slice of a partitioned tensor, in a checkpoint.

    Attributes:
        dtype: a numpy-like name.
        shape: its dimensions.
        shard: number of the data file.
        offset: first byte in that file.
        size: number of bytes.
        sliced: the tensor has no bytes of its own; its slices are entries of their own.
    """

    dtype: str
    shape: Shape
    shard: int
    offset: int
    size: int
    sliced: bool


@dataclass(frozen=True)
class Index:
    """What ``variables.index`` says: the number of data files, and each key's entry, in the file's order."""

    shards: int
    entries: dict[bytes, Entry]


def read_index(data: bytes) -> Index:
    """Read a checkpoint's index.

    Raises:
        BadArchive: the bytes are no such table.
        CompressedIndex: the table is compressed, as very old or foreign writers have it.
    """
    table = memoryview(data)
    if len(table) < _FOOTER_BYTES or table[-8:] != _MAGIC:
        raise BadArchive("The checkpoint's index (variables.index) is cut short or no table.")
    footer = table[-_FOOTER_BYTES:]
    _, position = _handle(footer, 0)
    blocks, _ = _handle(footer, position)
    header, entries = Message(memoryview(b"")), {}
    for key, value in _table_rows(table, blocks):
        if key:
            entries[key] = _entry(Message(value))
        else:
            header = Message(value)
    return Index(max(1, header.integer(1)), entries)


class CompressedIndex(BadArchive):
    """The index is compressed: it is sound, and this reader cannot read it."""


def _entry(message: Message) -> Entry:
    return Entry(
        dtype=dtype_name(message.integer(1)),
        shape=shape_of(message.message(2)),
        shard=message.integer(3),
        offset=message.integer(4),
        size=message.integer(5),
        sliced=bool(message.chunks(7)),
    )


def _handle(data: memoryview, position: int) -> tuple[tuple[int, int], int]:
    offset, position = varint(data, position)
    size, position = varint(data, position)
    return (offset, size), position


def _block(table: memoryview, place: tuple[int, int]) -> memoryview:
    offset, size = place
    if offset + size + _TRAILER_BYTES > len(table):
        raise BadArchive("The checkpoint's index (variables.index) points behind its end.")
    if table[offset + size]:
        raise CompressedIndex("The checkpoint's index (variables.index) is compressed.")
    return table[offset : offset + size]


def _table_rows(table: memoryview, blocks: tuple[int, int]) -> Iterator[tuple[bytes, memoryview]]:
    block_bytes = key_bytes = 0
    for _, pointer in _rows(_block(table, blocks)):
        place, _ = _handle(pointer, 0)
        # Many rows may point at one block; in a real table each has its own.
        block_bytes += place[1]
        if block_bytes > len(table):
            raise BadArchive("The checkpoint's index (variables.index) has overlapping blocks.")
        for key, value in _rows(_block(table, place)):
            key_bytes += len(key)
            if key_bytes > _MOST_KEY_BYTES:
                raise BadArchive("The checkpoint's index (variables.index) unfolds to an absurd size.")
            yield key, value


def _rows(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    if len(block) < 4:
        raise BadArchive("The checkpoint's index (variables.index) has a block without an end.")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = varint(block, position)
        fresh, position = varint(block, position)
        length, position = varint(block, position)
        if shared > len(key) or position + fresh + length > end:
            raise BadArchive("The checkpoint's index (variables.index) has a damaged row.")
        key = key[:shared] + bytes(block[position : position + fresh])
        position += fresh
        yield key, block[position : position + length]
        position += length
