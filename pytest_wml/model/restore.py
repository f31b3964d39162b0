"""Which checkpoint tensor each variable of a graph is loaded from.

Names do not tell: TensorFlow 2 gives several variables one full name. The graph's own restore operation does,
in TensorFlow 1 and 2 alike: ``Assign*(variable, [Identity(]RestoreV2(file, names, slices)[i][)])``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pytest_wml.model.protobuf import Message, text
from pytest_wml.model.savedmodel import Node, SavedModel, called_functions, node_name, read_function

_ASSIGNMENTS = ("Assign", "AssignVariableOp")
# Identity, and Cast or a device copy: a few in a row at most.
_LONGEST_PASSAGE = 8


def variable_keys(model: SavedModel, nodes: dict[str, Node]) -> dict[str, tuple[str, str]]:
    """Give for each variable's node in the main graph the checkpoint key and slice that it is loaded from.

    A variable that the restore operation does not name (none that TensorFlow writes) is left out.
    """
    keys = dict(_assigned(nodes))
    call = nodes.get(node_name(model.restore_op()))
    if call is None:
        return keys
    functions = model.functions()
    for attribute in call.attributes.values():
        for name in called_functions(attribute):
            if name in functions:
                keys.update(_through(call, functions[name]))
    return keys


def _through(call: Node, function: memoryview) -> Iterator[tuple[str, tuple[str, str]]]:
    body = read_function(function)
    given = {name: value for (name, _), value in zip(body.arguments, call.inputs, strict=False)}
    for argument, key in _assigned(body.nodes):
        if argument in given:
            yield node_name(given[argument]), key


def _assigned(nodes: dict[str, Node]) -> Iterator[tuple[str, tuple[str, str]]]:
    tables: dict[str, list[tuple[str, str]]] = {}
    for node in nodes.values():
        if node.op not in _ASSIGNMENTS or len(node.inputs) < 2:
            continue
        source, port = _source(nodes, node.inputs[1])
        if source is None or len(source.inputs) < 3:
            continue
        if source.name not in tables:
            names, slices = (_strings(nodes, reference) for reference in source.inputs[1:3])
            slices += [""] * (len(names) - len(slices))
            tables[source.name] = list(zip(names, slices, strict=False))
        if port < len(tables[source.name]):
            yield node_name(node.inputs[0]), tables[source.name][port]


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
