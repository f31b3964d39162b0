"""A SavedModel, read without TensorFlow.

Field numbers: tensorflow/core/protobuf/saved_model.proto and meta_graph.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_wml.errors import BadArchive
from pytest_wml.model.contents import ArchiveFile
from pytest_wml.model.digest import mapped
from pytest_wml.model.kinds import GRAPH
from pytest_wml.model.lint import signatures, training_ops, weights
from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.walk import steps
from pytest_wml.model.protobuf import Message
from pytest_wml.model.savedmodel import SavedModel
from pytest_wml.model.signature import Signature
from pytest_wml.wml.acceptance import version_warning

_SERVE = frozenset({"serve"})


def findings(files: Mapping[str, ArchiveFile], target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of a SavedModel at the root of an upload.

    Args:
        files: the upload's; `saved_model.pb` among them.
        target: what it is to be deployed with.
    """
    with mapped(files[GRAPH]) as data:
        try:
            graphs = _MetaGraphs(data)
            if graphs.serving is None:
                yield _untagged(graphs)
                return
            yield from _graph(SavedModel(data), graphs.serving, files, target)
        except BadArchive as damage:
            yield _unreadable(damage)


def _graph(
    model: SavedModel, graph: Message, files: Mapping[str, ArchiveFile], target: LintTarget
) -> Iterator[LintFinding]:
    yield from version_findings(_written_by(graph), target, GRAPH)
    yield from weights.findings(files, {node.op for node in model.nodes().values()})
    served = signatures.chosen(model.signatures)
    if isinstance(served, LintFinding):
        yield served
        return
    sparse = _not_dense(graph, served.name)
    count = len(model.signatures)
    yield from signatures.findings(served, count, sparse["inputs"], sparse["outputs"])
    yield from _walked(model, served)


def _walked(model: SavedModel, served: Signature) -> Iterator[LintFinding]:
    every = list(steps(model, served.name))
    yield from training_ops.findings(every)
    # TensorFlow takes out of the graph what leads from the inputs to the outputs, and must find nothing missing.
    unfed = [step.node.name for step in every if step.node.op == "Placeholder" and not step.inside]
    if unfed:
        why = "The outputs read a placeholder that is no input of the signature."
        fix = "name it among the signature's inputs, or give it a default: tf.compat.v1.placeholder_with_default"
        refusal = fails_to_load(f"TensorFlow cannot load the model. {why}")
        yield LintFinding(LintLevel.ERROR, "placeholder", why, ", ".join(unfed), fix, refusal)


def version_findings(writer: str, target: LintTarget, where: str) -> Iterator[LintFinding]:
    """Yield which package wrote a model, and whether it is another than the specification runs.

    Args:
        writer: name and version: `TensorFlow 2.14.0`; empty where it is not known.
        target: what the model is to be deployed with.
        where: the file that says so.
    """
    if not writer:
        yield LintFinding(LintLevel.INFO, "written-by", "It does not say which version wrote it.", where)
        return
    warning = target.spec and version_warning(writer, target.framework, target.spec)
    if not warning:
        yield LintFinding(LintLevel.INFO, "written-by", f"It was written by {writer}.", where)
        return
    fix = f"train and export with the versions that {target.spec_name} runs"
    yield LintFinding(LintLevel.WARN, "version", f"{warning} It may be refused when it is loaded.", where, fix)


def _untagged(graphs: _MetaGraphs) -> LintFinding:
    tags = ", ".join("+".join(sorted(found)) or "none" for found in graphs.tags) or "no graph at all"
    found = f"No graph is tagged 'serve' and nothing else; tags: {tags}."
    return LintFinding(
        LintLevel.ERROR,
        "serve-tag",
        found,
        GRAPH,
        "export the model again with tf.saved_model.save or model.export(), which tag it 'serve'",
        fails_to_load(f"TensorFlow cannot load the model. {found}"),
    )


def _unreadable(damage: BadArchive) -> LintFinding:
    facts = "; ".join(f"{name}: {fact}" for name, fact in damage.facts.items())
    return LintFinding(
        LintLevel.ERROR,
        "graph",
        f"{GRAPH} cannot be read. {damage.problem}" + (f" {facts}" if facts else ""),
        GRAPH,
        "export the model again; the file may have been cut short on its way",
        fails_to_load(f"TensorFlow cannot load the model. {damage.problem}"),
    )


class _MetaGraphs:
    """The graphs of a SavedModel and their tags.

    Args:
        data: the bytes of `saved_model.pb`.

    Raises:
        BadArchive: they are no message.
    """

    def __init__(self, data: memoryview) -> None:
        self._graphs = list(Message(data).messages(2))
        self.tags = [frozenset(graph.message(1).texts(4)) for graph in self._graphs]

    @property
    def serving(self) -> Message | None:
        """The graph that is tagged `serve` and nothing else, which is the one that TensorFlow loads."""
        found = [graph for graph, tags in zip(self._graphs, self.tags, strict=True) if tags == _SERVE]
        return found[0] if found else None


def _written_by(graph: Message) -> str:
    """The TensorFlow that wrote a graph: `TensorFlow 2.14.0`; empty where it does not say."""
    version = graph.message(1).text(5)
    return f"TensorFlow {version}" if version else ""


def _not_dense(graph: Message, signature: str) -> dict[str, set[str]]:
    """The `inputs` and `outputs` of a signature that are sparse or ragged, by their keys."""
    found = Message(graph.mapping(5).get(signature, memoryview(b"")))
    return {
        side: {key for key, info in found.mapping(number).items() if not Message(info).chunks(1)}
        for side, number in (("inputs", 1), ("outputs", 2))
    }
