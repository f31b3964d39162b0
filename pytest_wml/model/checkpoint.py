"""A checkpoint's tensors, hashed where they lie in the data files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pytest_wml.errors import BadArchive
from pytest_wml.model.bundle import Entry, Index, read_index
from pytest_wml.model.contents import ArchiveFile
from pytest_wml.model.graph import combined
from pytest_wml.model.streams import CHUNK

PREFIX = "variables/variables."
_INDEX = PREFIX + "index"
# Seen: one kilobyte for ten tensors.
_LARGEST_INDEX = 64 << 20
_BOOKKEEPING = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter/.ATTRIBUTES/VARIABLE_VALUE")

# A random generator's state: Keras's of two integers, TensorFlow's of three. Keras gives it no name to tell.
_STATES = ((2,), (3,))


@dataclass(frozen=True)
class CheckpointTensor:
    """One tensor of a checkpoint: a hash of type, shape and content, and where it lies.

    Attributes:
        digest: the hash.
        entry: type, shape and place.
        path: the data file; None for a partitioned tensor.
    """

    digest: bytes
    entry: Entry
    path: Path | None

    @property
    def counts_unread(self) -> bool:
        """Whether it counts although no signature reads it: all but step counters and states of generators."""
        small = self.entry.shape is not None and (self.entry.shape == () or self.entry.shape in _STATES)
        return not (small and self.entry.dtype.lstrip("u").startswith("int"))


def read_tensors(files: Mapping[str, ArchiveFile]) -> dict[str, CheckpointTensor]:
    """Read every tensor but the checkpoint's bookkeeping, by checkpoint key; none without variables.

    A partitioned tensor is one tensor, hashed from its slices. Strings are hashed as they are stored.

    Raises:
        BadArchive: the checkpoint is damaged.
        CompressedIndex: its index is compressed.
    """
    if _INDEX not in files:
        return {}
    index = read_index(_index_bytes(files[_INDEX]))
    contents = dict(_contents(index, files))
    slices: dict[bytes, list[bytes]] = {}
    for key, content in contents.items():
        if key.startswith(b"\0"):
            slices.setdefault(_sliced_name(key), []).append(combined(key, content))
    tensors = {}
    for key, entry in index.entries.items():
        name = key.decode("utf-8", "backslashreplace")
        if not key.startswith(b"\0") and name not in _BOOKKEEPING:
            parts = slices.get(key, []) if entry.sliced else [contents[key]]
            path = None if entry.sliced else files[_data_file(index, entry.shard)].path
            tensors[name] = CheckpointTensor(combined(entry.dtype, repr(entry.shape), *parts), entry, path)
    return tensors


def _index_bytes(file: ArchiveFile) -> bytes:
    if file.size > _LARGEST_INDEX or file.path is None:
        raise BadArchive("The checkpoint's index (variables.index) is too large.", size=f"{file.size:,} bytes")
    return file.path.read_bytes()


def _sliced_name(key: bytes) -> bytes:
    # EncodeTensorNameSlice in tensorflow/core/util/saved_tensor_slice_util.cc: 0, the name, 0 1, the slice.
    return key[1:].partition(b"\0\1")[0]


def _contents(index: Index, files: Mapping[str, ArchiveFile]) -> Iterator[tuple[bytes, bytes]]:
    shards: dict[int, list[tuple[bytes, Entry]]] = {}
    for key, entry in index.entries.items():
        if not entry.sliced:
            shards.setdefault(entry.shard, []).append((key, entry))
    for shard, entries in sorted(shards.items()):
        name = _data_file(index, shard)
        path = files[name].path if name in files else None
        if path is None:
            raise BadArchive("The checkpoint lacks a data file.", missing=name)
        with path.open("rb") as data:
            yield from _hashed(data, name, entries)


def _data_file(index: Index, shard: int) -> str:
    return f"{PREFIX}data-{shard:05d}-of-{index.shards:05d}"


def _hashed(data: BinaryIO, name: str, entries: list[tuple[bytes, Entry]]) -> Iterator[tuple[bytes, bytes]]:
    end = 0
    for key, entry in sorted(entries, key=lambda each: (each[1].offset, each[1].size)):
        # Overlapping tensors would let a small file claim hours of hashing; TensorFlow writes none.
        if entry.offset < end:
            raise BadArchive("The checkpoint has tensors that overlap.", file=name, tensor=repr(key))
        end = entry.offset + entry.size
        data.seek(entry.offset)
        yield key, _digest(data, entry.size, name)


def _digest(data: BinaryIO, size: int, name: str) -> bytes:
    digest = hashlib.sha256()
    while size:
        piece = data.read(min(CHUNK, size))
        if not piece:
            raise BadArchive("The checkpoint's data file is cut short.", file=name)
        digest.update(piece)
        size -= len(piece)
    return digest.digest()
