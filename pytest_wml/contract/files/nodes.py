"""The text of a contract file as a tree that knows its lines; the only place that knows PyYAML.

The tree is built from the parser's events: nothing in the file can make an object of another kind, run anything,
or stand for more than it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
    import yaml

    try:
        # The scanner in Python: that in C cannot be loaded twice, as pytest's own tests of plugins do.
        events = _checked(yaml.parse(text, Loader=yaml.SafeLoader))
        try:
            root = _node(next(events), events, 0)
        except StopIteration:
            raise mistake(Place(1, 1), "the file is empty") from None
        for extra in events:
            raise mistake(_place(extra), "a second document begins here; a file holds one contract")
        return root
    except yaml.YAMLError as error:
        raise _unreadable(error, text) from None


def _checked(events: Any) -> Iterator[Any]:
    """The events that make up the tree, where nothing among them is refused."""
    import yaml

    frame = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
    for event in events:
        if isinstance(event, frame):
            continue
        if isinstance(event, yaml.AliasEvent):
            raise mistake(_place(event), f"an alias, {shown(f'*{event.anchor}')}: {_SAFE}")
        if getattr(event, "anchor", None):
            raise mistake(_place(event), f"an anchor, {shown(f'&{event.anchor}')}: {_SAFE}")
        if getattr(event, "tag", None):
            raise mistake(_place(event), f"a tag, {shown(event.tag)}: {_SAFE}")
        yield event


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    import yaml

    place = _place(event)
    if depth > _DEEPEST:
        raise mistake(place, f"more than {_DEEPEST} lists and mappings stand within each other")
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(place, event.value, not event.style)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(each := next(events), yaml.SequenceEndEvent):
            items.append(_node(each, events, depth + 1))
        return Items(place, tuple(items))
    entries = []
    while not isinstance(each := next(events), yaml.MappingEndEvent):
        key = _node(each, events, depth + 1)
        if not isinstance(key, Scalar):
            raise mistake(key.place, "a list or a mapping stands where a key belongs")
        entries.append((key, _node(next(events), events, depth + 1)))
    _check_once(entries)
    return Entries(place, tuple(entries))


def _check_once(entries: list[tuple[Scalar, Node]]) -> None:
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


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _unreadable(error: Any, text: str) -> Mistakes:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        told = " ".join(filter(None, [error.context, error.problem]))
        return mistake(Place(mark.line + 1, mark.column + 1), f"this is no YAML: {told}")
    # A control character: the reader tells its position only, and that not always.
    position = getattr(error, "position", 0) or 0
    before = text[:position]
    place = Place(before.count("\n") + 1, position - before.rfind("\n"))
    return mistake(place, f"this is no YAML: {getattr(error, 'reason', None) or 'unreadable'}")
