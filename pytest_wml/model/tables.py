"""Lookup tables: what fills each of them, so that two tables that change places make another model.

A table's node says its types only. It is filled by what initializes the model (``InitializeTable*`` and
``LookupTableImport*``, in functions or not) or from the checkpoint, keys and values, in an order that means
nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from pytest_wml.errors import BadArchive
from pytest_wml.model.checkpoint import CheckpointTensor
from pytest_wml.model.graph import FunctionLibrary, GraphScope, combined
from pytest_wml.model.protobuf import varint
from pytest_wml.model.savedmodel import Node, node_name

# More rows than this are hashed in their order: sorting them would fill the memory.
_MOST_ROWS = 4_000_000
# Identity and its like between a table and what fills it.
_LONGEST_PASSAGE = 8
_PASSAGES = frozenset({"Identity", "Enter", "RefEnter", "RefIdentity", "Switch", "RefSwitch"})


def is_table(node: Node) -> bool:
    """Tell a table's node: every kind has it in its name, mutable, dense and anonymous ones too.

    In a model that was loaded and saved again it is a call without arguments.
    """
    made = "Call" in node.op and all(reference.startswith("^") for reference in node.inputs)
    return made or "HashTable" in node.op


def filled_tables(
    nodes: dict[str, Node],
    known: Mapping[str, bytes],
    contents: Mapping[str, bytes],
    initializers: Collection[str],
    functions: FunctionLibrary,
) -> dict[str, bytes]:
    """Hash each table of the main graph that something fills, by node.

    Args:
        nodes: the main graph's.
        known: variables, assets and inputs, as for a ``GraphScope``.
        contents: what the checkpoint fills tables with, by node.
        initializers: references that run before the first call.
        functions: the library that the nodes call.

    Raises:
        BadArchive: the graph lacks a node or a function that it reads.
    """
    tables = [name for name, node in nodes.items() if is_table(node)]
    if not tables:
        return {}
    fillings: dict[str, list[bytes]] = {}
    for name in tables:
        if name in contents:
            fillings.setdefault(_identity(nodes[name]), []).append(contents[name])
    plain = GraphScope(nodes, known, functions)
    before = {name: plain.digest(name) for name in tables}
    scope = GraphScope(nodes, {**known, **before}, functions)
    for reference in initializers:
        scope.digest(reference)
    for table, filling in _fillings(nodes, scope):
        fillings.setdefault(_identity(nodes[table]), []).append(filling)
    filled = {name: fillings.get(_identity(nodes[name]), []) for name in tables}
    return {name: combined("table", before[name], *sorted(found)) for name, found in filled.items() if found}


def table_content(keys: CheckpointTensor, values: CheckpointTensor) -> bytes:
    """Hash a table's keys with their values, in whatever order the checkpoint has them.

    Tensors whose rows cannot be separated, which TensorFlow does not write, are hashed as they lie.
    """
    rows = _length(keys)
    if rows is None or rows != _length(values) or rows > _MOST_ROWS:
        return combined("in order", keys.digest, values.digest)
    try:
        # A dense table has as many rows without a key as it likes.
        pairs = {combined(key, value) for key, value in zip(_rows(keys), _rows(values), strict=True)}
    except (BadArchive, ValueError):
        return combined("in order", keys.digest, values.digest)
    described = (f"{tensor.entry.dtype} {(tensor.entry.shape or ())[1:]}" for tensor in (keys, values))
    digest = hashlib.sha256()
    for pair in sorted(pairs):
        digest.update(pair)
    return combined("pairs", *described, digest.digest())


def _identity(node: Node) -> str:
    # Two nodes that share a name share the table.
    return repr([bytes(node.attributes.get(name, b"")) for name in ("container", "shared_name")]) + (
        "" if node.attributes.get("shared_name") else node.name
    )


def _fillings(nodes: dict[str, Node], scope: GraphScope) -> Iterator[tuple[str, bytes]]:
    for name in scope.visited:
        for position, reference in enumerate(nodes[name].inputs):
            table = None if reference.startswith("^") else _table(nodes, reference)
            if table is not None and nodes[name].op not in _PASSAGES:
                yield table, combined("filled by", scope.digest(name), str(position))


def _table(nodes: dict[str, Node], reference: str) -> str | None:
    for _ in range(_LONGEST_PASSAGE):
        node = nodes.get(node_name(reference))
        if node is None or is_table(node):
            return node.name if node else None
        if node.op not in _PASSAGES or not node.inputs:
            return None
        reference = node.inputs[0]
    return None


def _length(tensor: CheckpointTensor) -> int | None:
    shape = tensor.entry.shape
    return shape[0] if shape and tensor.path and None not in shape else None


def _rows(tensor: CheckpointTensor) -> Iterator[bytes]:
    length, shape = _length(tensor) or 0, tensor.entry.shape or ()
    if not length or tensor.path is None:
        return
    if tensor.entry.dtype == "string":
        yield from _texts(tensor, tensor.path, length, shape)
        return
    size, rest = divmod(tensor.entry.size, length)
    if rest or not size:
        raise ValueError("the rows are of different sizes")
    with tensor.path.open("rb") as data:
        data.seek(tensor.entry.offset)
        for _ in range(length):
            yield data.read(size)


def _texts(tensor: CheckpointTensor, path: Path, length: int, shape: tuple[int | None, ...]) -> Iterator[bytes]:
    """Yield rows of strings: all lengths come first, then a checksum of them, then all strings."""
    width = 1
    for size in shape[1:]:
        width *= size or 0
    if not 0 < width * length <= _MOST_ROWS:
        raise ValueError("there are too many strings")
    with path.open("rb") as data:
        data.seek(tensor.entry.offset)
        content = memoryview(data.read(tensor.entry.size))
    position, lengths = 0, []
    for _ in range(width * length):
        size, position = varint(content, position)
        lengths.append(size)
    position += struct.calcsize("<I")
    if position + sum(lengths) != len(content):
        raise ValueError("the strings' lengths do not add up")
    each = iter(lengths)
    for _ in range(length):
        row = []
        for size in islice(each, width):
            row.append(content[position : position + size])
            position += size
        yield combined(*row)
