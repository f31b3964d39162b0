"""Which checkpoint tensors each variable and each table of a graph is loaded from.

Names do not tell: TensorFlow 2 gives several variables one full name. The graph's own restore operation does,
in TensorFlow 1 and 2 alike: ``Assign*(variable, [Identity(]RestoreV2(file, names, slices)[i][)])``,
and ``LookupTableImport*(table, keys, values)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from pytest_wml.model.protobuf import Message, text
from pytest_wml.model.savedmodel import Node, SavedModel, called_functions, node_name, read_function

_ASSIGNMENTS = ("Assign", "AssignVariableOp")
_IMPORTS = ("LookupTableImport", "LookupTableImportV2")
# Identity, and Cast or a device copy: a few in a row at most.
_LONGEST_PASSAGE = 8

# A checkpoint key and the slice of it.
RestoredPlace = tuple[str, str]


class Restored(NamedTuple):
    """What the main graph's nodes are loaded from.

    Attributes:
        variables: by node, the one tensor that a variable is assigned.
        others: by node, the tensors that anything else is filled with: a table's keys and values.
    """

    variables: dict[str, RestoredPlace]
    others: dict[str, tuple[RestoredPlace, ...]]


def restored_nodes(model: SavedModel, nodes: dict[str, Node]) -> Restored:
    """Give what each variable and table of the main graph is loaded from.

    One that the restore operation does not name (none that TensorFlow writes) is left out.
    """
    found = list(_filled(nodes))
    if call := nodes.get(node_name(model.restore_op())):
        functions = model.functions()
        for attribute in call.attributes.values():
            for name in called_functions(attribute):
                if name in functions:
                    found.extend(_through(call, functions[name]))
    return Restored(
        {name: places[0] for name, op, places in found if op in _ASSIGNMENTS},
        {name: places for name, op, places in found if op not in _ASSIGNMENTS},
    )


_Filled = tuple[str, str, tuple[RestoredPlace, ...]]


def _through(call: Node, function: memoryview) -> Iterator[_Filled]:
    body = read_function(function)
    given = {name: value for (name, _), value in zip(body.arguments, call.inputs, strict=False)}
    for argument, op, places in _filled(body.nodes):
        if argument in given:
            yield node_name(given[argument]), op, places


def _filled(nodes: dict[str, Node]) -> Iterator[_Filled]:
    tables: dict[str, list[RestoredPlace]] = {}
    for node in nodes.values():
        if not _restores(node):
            continue
        places = [_place(nodes, reference, tables) for reference in node.inputs]
        known = tuple(place for place in places if place is not None)
        targets = [name for name, place in zip(node.inputs, places, strict=True) if place is None]
        # A call gets its table anywhere, the operations as their first.
        for target in targets if known else ():
            yield node_name(target), node.op, known


def _restores(node: Node) -> bool:
    # A model that was loaded and saved again restores its tables by functions of their own.
    calls = "Call" in node.op and any(True for value in node.attributes.values() for _ in called_functions(value))
    return node.op in _ASSIGNMENTS or node.op in _IMPORTS or calls


def _place(nodes: dict[str, Node], reference: str, tables: dict[str, list[RestoredPlace]]) -> RestoredPlace | None:
    source, port = _source(nodes, reference)
    if source is None or len(source.inputs) < 3:
        return None
    if source.name not in tables:
        names, slices = (_strings(nodes, each) for each in source.inputs[1:3])
        slices += [""] * (len(names) - len(slices))
        tables[source.name] = list(zip(names, slices, strict=False))
    return tables[source.name][port] if port < len(tables[source.name]) else None


def _source(nodes: dict[str, Node], reference: str) -> tuple[Node | None, int]:
    for _ in range(_LONGEST_PASSAGE):
        node = nodes.get(node_name(reference))
        if node is None or node.op == "RestoreV2":
            return node, _port(reference)
        if not node.inputs:
            break
        reference = node.inputs[0]
    return None, 0


def _strings(nodes: dict[str, Node], reference: str) -> list[str]:
    node = nodes.get(node_name(reference))
    if node is None or "value" not in node.attributes:
        return []
    tensor = Message(node.attributes["value"]).message(8)
    found = [text(value) for value in tensor.chunks(8)]
    dimensions = [dimension.signed(1) for dimension in tensor.message(2).messages(2)]
    # TensorFlow leaves out a run of equal values at a constant's end.
    absent = max(0, min(dimensions[0], 1_000_000) - len(found)) if dimensions and found else 0
    return found + list(islice(found[-1:] * absent, absent))


def _port(reference: str) -> int:
    last = reference.rsplit(":", 1)[-1]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 8 else 0
