"""SavedModel files read without TensorFlow: signatures, graph, functions and how its variables are restored.

Field numbers: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saver.proto and
tensorflow/core/framework/graph.proto, node_def.proto, function.proto, op_def.proto, attr_value.proto,
tensor.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_wml.errors import BadArchive
from pytest_wml.model.protobuf import Message, text
from pytest_wml.model.signature import Signature, TensorSpec
from pytest_wml.model.tensors import dtype_name, shape_of

_SERVE = "serve"
# Where TensorFlow 1 keeps the operation that fills lookup tables.
_INITIALIZERS = ("legacy_init_op", "saved_model_main_op")
# Where TensorFlow 1 keeps the files that these read.
_OLD_ASSETS = "saved_model_assets"
# And where TensorFlow 2 keeps that operation.
_INITIALIZER = "__saved_model_init_op"


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a graph: name, kind, what it reads (``node:port``, ``^node``), attributes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, memoryview]


@dataclass(frozen=True)
class GraphFunction:
    """One function of a graph's library.

    Attributes:
        arguments: name and data type number of each argument, in order.
        results: what each result reads, in order.
        effects: the nodes that run although no result reads them.
        nodes: the body, by name.
    """

    arguments: tuple[tuple[str, int], ...]
    results: tuple[str, ...]
    effects: tuple[str, ...]
    nodes: dict[str, Node]


class SavedModel:
    """The graph that is served, read from the bytes of ``saved_model.pb``.

    Raises:
        BadArchive: the bytes are no SavedModel, or none of its graphs is tagged ``serve``.
    """

    def __init__(self, data: memoryview) -> None:
        self._meta = _serving(list(Message(data).messages(2)))
        self._graph = self._meta.message(2)

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Every signature that a client may ask for, sorted by name, without TensorFlow's own (``__…``)."""
        found = self._meta.mapping(5)
        return tuple(_signature(name, Message(found[name])) for name in sorted(found) if name[:1] != "_")

    def endpoints(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield each signature's tensors: signature, ``inputs`` or ``outputs``, key, name in the graph.

        What fills lookup tables before the first call is among them.
        """
        for name, value in sorted(self._meta.mapping(5).items()):
            signature = Message(value)
            for side, number in (("inputs", 1), ("outputs", 2)):
                for key, info in sorted(signature.mapping(number).items()):
                    for tensor in _tensor_names(Message(info)):
                        yield name, side, key, tensor
        for name, value in sorted(self._meta.mapping(4).items()):
            if name in _INITIALIZERS:
                for node in Message(value).message(1).texts(1):
                    yield name, "outputs", "", node

    def initializers(self) -> list[str]:
        """Give the nodes that run before the first call and fill lookup tables."""
        wanted = (*_INITIALIZERS, _INITIALIZER)
        return [tensor for name, side, _, tensor in self.endpoints() if side == "outputs" and name in wanted]

    def assets(self) -> dict[str, str]:
        """Give the tensors that hold a file's path, each with the file's name below ``assets/``."""
        collection = self._meta.mapping(4).get(_OLD_ASSETS, memoryview(b""))
        old = [each.message(2) for each in Message(collection).message(5).messages(1)]
        return {asset.message(1).text(1): asset.text(2) for asset in [*old, *self._meta.messages(6)]}

    def nodes(self) -> dict[str, Node]:
        """Give the main graph's nodes by name."""
        return _nodes(self._graph.messages(1))

    def functions(self) -> dict[str, memoryview]:
        """Give the library's functions by name, each still unread: most are never reached."""
        found = {}
        for data in self._graph.message(2).chunks(1):
            found[Message(data).message(1).text(1)] = data
        return found

    def restore_op(self) -> str:
        """Give the name of the node that loads the checkpoint; empty where there is none."""
        return self._meta.message(3).text(3)


def node_name(reference: str) -> str:
    """Give the node of a reference: ``node``, ``node:port``, ``node:result:port`` or ``^node``."""
    return reference.removeprefix("^").split(":", 1)[0]


def tensor_name(reference: str) -> str:
    """Give a reference with its port: a node's first result may be written without."""
    name = reference.removeprefix("^")
    return name if ":" in name else f"{name}:0"


def read_function(data: memoryview) -> GraphFunction:
    """Read a FunctionDef."""
    message = Message(data)
    declared = message.message(1)
    returned = {key: text(value) for key, value in message.mapping(4).items()}
    names = [result.text(1) for result in declared.messages(3)]
    if missing := [name for name in names if name not in returned]:
        raise BadArchive("A function of the graph lacks a result.", result=missing[0])
    return GraphFunction(
        arguments=tuple((argument.text(1), argument.integer(3)) for argument in declared.messages(2)),
        results=tuple(returned[name] for name in names),
        effects=tuple(text(value) for value in message.mapping(6).values()),
        nodes=_nodes(message.messages(3)),
    )


def called_functions(value: memoryview) -> Iterator[str]:
    """Yield the names of the functions that an attribute refers to; none for most."""
    attribute = Message(value)
    for reference in [*attribute.chunks(10), *attribute.message(1).chunks(9)]:
        yield Message(reference).text(1)


def _serving(graphs: list[Message]) -> Message:
    tags = [set(graph.message(1).texts(4)) for graph in graphs]
    # One tagged for accelerators too, {serve, tpu}, may stand beside the plain one.
    for wanted in ({_SERVE}, None):
        for graph, found in zip(graphs, tags, strict=True):
            if found == wanted or (wanted is None and _SERVE in found):
                return graph
    raise BadArchive(
        "saved_model.pb holds no graph that is tagged 'serve'.",
        tags=", ".join("+".join(sorted(found)) or "none" for found in tags) or "no graph at all",
        fix="export the model again with tf.saved_model.save or model.export(), which tag it 'serve'",
    )


def _signature(name: str, message: Message) -> Signature:
    inputs, outputs = (
        tuple(_spec(key, Message(info)) for key, info in sorted(message.mapping(number).items())) for number in (1, 2)
    )
    return Signature(name, inputs, outputs)


def _spec(name: str, info: Message) -> TensorSpec:
    return TensorSpec(name, dtype_name(info.integer(2)), shape_of(info.message(3)))


def _tensor_names(info: Message) -> list[str]:
    if info.chunks(1):
        return [info.text(1)]
    # A sparse tensor is three dense ones: values, indices, shape.
    sparse = info.message(4)
    return [sparse.text(number) for number in (1, 2, 3) if sparse.chunks(number)]


def _nodes(messages: Iterator[Message]) -> dict[str, Node]:
    nodes = (Node(each.text(1), each.text(2), tuple(each.texts(3)), each.mapping(5)) for each in messages)
    return {node.name: node for node in nodes}
