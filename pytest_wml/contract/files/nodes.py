"""The text of a contract file as a tree that knows its lines; the only place that knows PyYAML.

The file is composed and never constructed: nothing in it can make an object of another kind, run anything, or stand
for more than it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from pytest_wml.contract.files.mistakes import Mistake, Mistakes, Place, mistake, shown

LARGEST = 1 << 18
"""Bytes of a contract file; rows that need more belong into .npy files."""
_DEEPEST = 32
_SAFE = "it is not read here: write what it stands for"


@dataclass(frozen=True)
class Scalar:
    """A word, a number or a text.

    Args:
        place: where it stands.
        text: as it is written, without quotes.
        plain: whether it had none.
    """

    place: Place
    text: str
    plain: bool


@dataclass(frozen=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entries:
    """A mapping, in the order of the file."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]


Node = Scalar | Items | Entries


def tree(content: bytes) -> Node:
    """Read a file's content.

    Raises:
        Mistakes: it is no YAML, too large, too deep, has a key twice, or uses what is refused: anchors, aliases,
            tags, several documents.
    """
    if len(content) > LARGEST:
        raise mistake(Place(1, 1), f"the file has {len(content):,} bytes, at most {LARGEST:,} are read")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise mistake(place, "this is no UTF-8 text") from None
    return _tree(text)


def _tree(text: str) -> Node:
    try:
        # The scanner in Python: that in C cannot be loaded twice, as pytest's own tests of plugins do.
        documents = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise _unreadable(error, text) from None
    if not documents:
        raise mistake(Place(1, 1), "the file is empty")
    if len(documents) > 1:
        raise mistake(_place(documents[1]), "a second document begins here; a file holds one contract")
    return _node(documents[0])


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses what stands for something else, and what is nested too deep."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise mistake(_place(event), f"an alias, {shown(f'*{event.anchor}')}: {_SAFE}")
        if event.anchor:
            raise mistake(_place(event), f"an anchor, {shown(f'&{event.anchor}')}: {_SAFE}")
        if event.tag:
            raise mistake(_place(event), f"a tag, {shown(event.tag)}: {_SAFE}")
        if self.depth > _DEEPEST:
            raise mistake(_place(event), f"more than {_DEEPEST} lists and mappings stand within each other")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _node(node: Any) -> Node:
    if isinstance(node, yaml.ScalarNode):
        return Scalar(_place(node), node.value, not node.style)
    if isinstance(node, yaml.SequenceNode):
        return Items(_place(node), tuple(map(_node, node.value)))
    entries = tuple((_key(key), _node(value)) for key, value in node.value)
    _check_once(entries)
    return Entries(_place(node), entries)


def _key(node: Any) -> Scalar:
    key = _node(node)
    if not isinstance(key, Scalar):
        raise mistake(key.place, "a list or a mapping stands where a key belongs")
    return key


def _check_once(entries: tuple[tuple[Scalar, Node], ...]) -> None:
    first: dict[str, Place] = {}
    twice = []
    for key, _ in entries:
        if key.text in first:
            twice.append(
                Mistake(key.place, f"{shown(key.text)} stands here twice, first in line {first[key.text].line}")
            )
        first.setdefault(key.text, key.place)
    if twice:
        raise Mistakes(twice)


def _place(found: Any) -> Place:
    """Where an event or a node of PyYAML begins."""
    return Place(found.start_mark.line + 1, found.start_mark.column + 1)


def _unreadable(error: Any, text: str) -> Mistakes:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        reason = " ".join(filter(None, [error.context, error.problem]))
        return mistake(Place(mark.line + 1, mark.column + 1), f"this is no YAML: {reason}")
    # A control character: the reader tells its position only, and that not always.
    position = getattr(error, "position", 0) or 0
    before = text[:position]
    place = Place(before.count("\n") + 1, position - before.rfind("\n"))
    return mistake(place, f"this is no YAML: {getattr(error, 'reason', None) or 'unreadable'}")
