"""A graph's digest, in which names that TensorFlow makes up do not count.

Every node is hashed from what it does and what it reads, a Merkle tree from a signature's outputs back to its
inputs and variables. A function is hashed from its body, a variable from its content, a path to an asset from
the asset's name. So two exports of one model agree, whatever their counters and orders, and two weights that
changed places do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from pytest_wml.errors import BadArchive
from pytest_wml.model.savedmodel import (
    GraphFunction,
    Node,
    called_functions,
    node_name,
    read_function,
    tensor_name,
)

# Names that TensorFlow makes up, and how the exporting machine ran the graph.
_NAMES = frozenset(
    {
        "config_proto",
        "container",
        "debug_name",
        "executor_type",
        "frame_name",
        "shared_name",
        "stack_name",
        "tensor_array_name",
    }
)


def combined(*parts: bytes | memoryview | str) -> bytes:
    """Hash parts so that no two different lists of parts give one input."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()


class GraphScope:
    """The nodes of one graph or of one function's body.

    Args:
        nodes: by name.
        known: what is hashed from elsewhere: variables, assets, arguments by node name, inputs by
            ``node:port``.
        functions: the library that the nodes call.

    A loop (TensorFlow 1's ``while``) is entered where the outputs reach it, and its way back is hashed as the
    number of the node, counted from the outputs.
    """

    def __init__(self, nodes: dict[str, Node], known: Mapping[str, bytes], functions: FunctionLibrary) -> None:
        self._nodes = nodes
        self._known = known
        self._functions = functions
        self._seen: dict[str, int] = {}
        self._done: dict[str, bytes] = {}
        self.used: set[str] = set()

    def digest(self, reference: str) -> bytes:
        """Hash what a reference (``node``, ``node:port``, ``node:result:port``, ``^node``) stands for.

        Raises:
            BadArchive: the graph lacks the node, or one that it reads.
        """
        stack = [node_name(reference)] if self._given(reference) is None else []
        while stack:
            name = stack[-1]
            waiting = [] if name in self._seen else list(self._unread(name))
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            if name not in self._done:
                self._done[name] = self._combine(self._node(name))
        return self._edge(reference)

    @property
    def visited(self) -> tuple[str, ...]:
        """The nodes that were hashed so far."""
        return tuple(self._seen)

    def _unread(self, name: str) -> Iterator[str]:
        self._seen[name] = len(self._seen)
        for reference in self._node(name).inputs:
            if self._given(reference) is None and node_name(reference) not in self._seen:
                yield node_name(reference)

    def _node(self, name: str) -> Node:
        try:
            return self._nodes[name]
        except KeyError:
            raise BadArchive("The graph reads a node that it lacks.", node=name) from None

    def _given(self, reference: str) -> bytes | None:
        for name in (tensor_name(reference), node_name(reference)):
            if name in self._known:
                self.used.add(name)
                return self._known[name]
        return None

    def _edge(self, reference: str) -> bytes:
        given = self._given(reference)
        if given is None:
            name = node_name(reference)
            given = self._done.get(name) or combined("loop", str(self._seen.get(name)))
        port = tensor_name(reference).partition(":")[2]
        return combined("after" if reference.startswith("^") else "reads", given, port)

    def _combine(self, node: Node) -> bytes:
        data = [self._edge(reference) for reference in node.inputs if not reference.startswith("^")]
        # Which of the nodes that must run before comes first means nothing.
        order = sorted(self._edge(reference) for reference in node.inputs if reference.startswith("^"))
        # TensorFlow 1 calls a function by an operation of its name.
        operation = self._functions.digest(node.op) if node.op in self._functions else node.op
        return combined("node", operation, *self._attributes(node), *data, *order)

    def _attributes(self, node: Node) -> Iterator[bytes]:
        for name, value in sorted(node.attributes.items()):
            if name.startswith("_") or name in _NAMES:
                continue
            called = [self._functions.digest(function) for function in called_functions(value)]
            yield combined("calls", name, *called) if called else combined("is", name, value)


class FunctionLibrary:
    """A graph's functions, each hashed when it is first called.

    Args:
        functions: the FunctionDefs by name, unread.
    """

    def __init__(self, functions: Mapping[str, memoryview]) -> None:
        self._functions = functions
        self._seen: dict[str, int] = {}
        self._done: dict[str, bytes] = {}

    def digest(self, name: str) -> bytes:
        """Hash a function from its body; one that calls itself by its number, counted from the first call.

        Raises:
            BadArchive: the library lacks the function, or one that it calls.
        """
        stack = [] if name in self._seen else [name]
        bodies: dict[str, GraphFunction] = {}
        while stack:
            current = stack[-1]
            if current not in self._seen:
                self._seen[current] = len(self._seen)
                bodies[current] = self._body(current)
                stack.extend(called for called in self._calls(bodies[current]) if called not in self._seen)
                continue
            stack.pop()
            if current in bodies:
                self._done[current] = self._combine(bodies.pop(current))
        return self._done.get(name) or combined("calls itself", str(self._seen[name]))

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def _body(self, name: str) -> GraphFunction:
        try:
            return read_function(self._functions[name])
        except KeyError:
            raise BadArchive("The graph calls a function that it lacks.", function=name) from None

    def _calls(self, body: GraphFunction) -> Iterator[str]:
        for node in body.nodes.values():
            if node.op in self._functions:
                yield node.op
            for value in node.attributes.values():
                yield from called_functions(value)

    def _combine(self, body: GraphFunction) -> bytes:
        known = {
            name: combined("argument", str(position), str(dtype))
            for position, (name, dtype) in enumerate(body.arguments)
        }
        scope = GraphScope(body.nodes, known, self)
        results = [scope.digest(reference) for reference in body.results]
        effects = sorted(scope.digest(name) for name in body.effects)
        return combined("function", *(combined(str(dtype)) for _, dtype in body.arguments), *results, *effects)
