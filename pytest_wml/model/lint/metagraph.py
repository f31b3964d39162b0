"""What `saved_model.pb` says beside its graph: tags, the TensorFlow that wrote it, tensors that are not dense.

Field numbers: tensorflow/core/protobuf/saved_model.proto and meta_graph.proto.
"""

from __future__ import annotations

from pytest_wml.model.protobuf import Message

_SERVE = frozenset({"serve"})


class MetaGraphs:
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


def written_by(graph: Message) -> str:
    """The TensorFlow that wrote a graph: `TensorFlow 2.14.0`; empty where it does not say."""
    version = graph.message(1).text(5)
    return f"TensorFlow {version}" if version else ""


def not_dense(graph: Message, signature: str) -> dict[str, set[str]]:
    """The `inputs` and `outputs` of a signature that are sparse or ragged, by their keys."""
    found = Message(graph.mapping(5).get(signature, memoryview(b"")))
    return {
        side: {key for key, info in found.mapping(number).items() if not Message(info).chunks(1)}
        for side, number in (("inputs", 1), ("outputs", 2))
    }
