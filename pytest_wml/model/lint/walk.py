"""The operations that run when a signature is scored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_wml.errors import BadArchive
from pytest_wml.model.savedmodel import Node, SavedModel, called_functions, node_name, read_function

_BRANCHES = frozenset({"then_branch", "else_branch", "branches"})
_LOOP = "NextIteration"
# Of a node that has to run before, and gives nothing.
_WAITS = "^"


@dataclass(frozen=True)
class GraphStep:
    """One operation on the way to an answer.

    Attributes:
        node: the operation.
        inside: the function that it stands in; empty for the main graph.
        perhaps: whether it stands in a branch, which other inputs may not take.
        body: the nodes beside it, by name.
        answers: whether a result of where it stands is computed from it; others run for what they change.
    """

    node: Node
    inside: str
    perhaps: bool
    body: Mapping[str, Node]
    answers: bool


def steps(model: SavedModel, signature: str) -> Iterator[GraphStep]:
    """Yield every operation that a signature's outputs read, each function's once.

    One in a branch and elsewhere too is yielded for both.

    Raises:
        BadArchive: the graph reads a node or calls a function that it lacks.
    """
    functions = model.functions()
    ends = [(side, tensor) for name, side, _, tensor in model.endpoints() if name == signature and tensor]
    starts = [tensor for side, tensor in ends if side == "outputs"]
    # What a request fills is not computed, whatever it was in training.
    filled = tuple(node_name(tensor) for side, tensor in ends if side == "inputs")
    waiting: list[tuple[str, bool]] = []
    seen: set[tuple[str, bool]] = set()
    for step in _scope(model.nodes(), "", starts, [], filled, False):
        waiting += _called(step, functions)
        yield step
    while waiting:
        called = waiting.pop()
        # What runs in any case need not be looked at as a branch again.
        if called in seen or (called[0], False) in seen:
            continue
        seen.add(called)
        name, perhaps = called
        if name not in functions:
            raise BadArchive("The graph calls a function that it lacks.", function=name)
        function = read_function(functions[name])
        arguments = tuple(argument for argument, _ in function.arguments)
        for step in _scope(function.nodes, name, function.results, function.effects, arguments, perhaps):
            waiting += _called(step, functions)
            yield step


def _called(step: GraphStep, functions: Mapping[str, memoryview]) -> Iterator[tuple[str, bool]]:
    if step.node.op in functions:
        yield step.node.op, step.perhaps
    for name, value in step.node.attributes.items():
        for function in called_functions(value):
            yield function, step.perhaps or name in _BRANCHES


def _scope(
    nodes: Mapping[str, Node],
    inside: str,
    results: Collection[str],
    effects: Collection[str],
    given: tuple[str, ...],
    perhaps: bool,
) -> Iterator[GraphStep]:
    answering = _computed_from(nodes, results)
    waiting = [(node_name(reference), perhaps) for reference in (*results, *effects)]
    seen: set[tuple[str, bool]] = set()
    while waiting:
        name, branch = waiting.pop()
        if name in given or (name, branch) in seen or (name, False) in seen:
            continue
        seen.add((name, branch))
        node = nodes.get(name)
        if node is None:
            raise BadArchive("The graph reads a node that it lacks.", node=name)
        yield GraphStep(node, inside, branch, nodes, name in answering)
        before = perhaps if node.op in ("Switch", "RefSwitch") else branch or _joins(node, nodes)
        waiting += [(node_name(reference), before) for reference in node.inputs]


def _computed_from(nodes: Mapping[str, Node], results: Collection[str]) -> set[str]:
    waiting = [node_name(reference) for reference in results]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in nodes:
            seen.add(name)
            waiting += [node_name(reference) for reference in nodes[name].inputs if not reference.startswith(_WAITS)]
    return seen


def _joins(node: Node, nodes: Mapping[str, Node]) -> bool:
    """Whether a node of TensorFlow 1 joins two branches; in a loop the same kind joins its rounds."""
    if node.op not in ("Merge", "RefMerge"):
        return False
    return not any(_LOOP in nodes[name].op for name in map(node_name, node.inputs) if name in nodes)
