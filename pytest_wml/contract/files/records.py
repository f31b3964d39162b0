"""Lists, mappings and records of values in a contract file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pytest_wml.contract.files.kinds import Kind, found, is_nothing, switch
from pytest_wml.contract.files.mistakes import Mistakes, Place, all_of, mistake, shown, unknown
from pytest_wml.contract.files.nodes import Entries, Items, Node, Scalar


@dataclass(frozen=True)
class ListOf:
    """One or more of a kind."""

    kind: Kind

    def read(self, node: Node) -> tuple[Any, ...]:
        if not isinstance(node, Items) or not node.items:
            raise mistake(node.place, f"a list with one entry or more belongs here, not {found(node)}")
        return tuple(all_of(partial(self.kind.read, item) for item in node.items))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "items": self.kind.schema()}


@dataclass(frozen=True)
class OneOrMore:
    """One of a kind, or a list of them."""

    kind: Kind

    def read(self, node: Node) -> tuple[Any, ...]:
        return ListOf(self.kind).read(node) if isinstance(node, Items) else (self.kind.read(node),)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.kind.schema(), ListOf(self.kind).schema()]}


@dataclass(frozen=True)
class MapOf:
    """A mapping of names that the file chooses."""

    kind: Kind

    def read(self, node: Node) -> dict[str, Any]:
        if not isinstance(node, Entries) or not node.entries:
            raise mistake(node.place, f"a mapping with one entry or more belongs here, not {found(node)}")
        values = all_of(partial(self.kind.read, value) for _, value in node.entries)
        return dict(zip([key.text for key, _ in node.entries], list(values), strict=True))

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "minProperties": 1, "additionalProperties": self.kind.schema()}


class Field(NamedTuple):
    """What one key of a record may hold, and what it means."""

    kind: Kind
    help: str
    required: bool = False


@dataclass(frozen=True)
class Section:
    """What a record held: values by key, and where each key stands."""

    place: Place
    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    def some(self, *names: str) -> dict[str, Any]:
        """The values that are given, of those named."""
        return {name: self.values[name] for name in names if name in self.values}


@dataclass(frozen=True)
class Record:
    """A mapping of keys that are known.

    Args:
        fields: what each may hold.
        any_of: keys of which one at least must be there.
    """

    fields: Mapping[str, Field]
    any_of: tuple[str, ...] = ()

    def read(self, node: Node) -> Section:
        if not isinstance(node, Entries):
            raise mistake(node.place, f"a mapping belongs here, not {found(node)}; accepted: {', '.join(self.fields)}")
        reads = [partial(self._entry, key, value) for key, value in node.entries]
        made = list(all_of([*reads, partial(self._check_complete, node)]))
        return Section(node.place, dict(filter(None, made)), {key.text: key.place for key, _ in node.entries})

    def _entry(self, key: Scalar, value: Node) -> tuple[str, Any]:
        known = self.fields.get(key.text)
        if known is None:
            raise mistake(key.place, unknown(shown(key.text), key.text, self.fields))
        if is_nothing(value):
            raise mistake(key.place, f"`{key.text}` has no value: {known.help}")
        try:
            return key.text, known.kind.read(value)
        except Mistakes as wrong:
            raise Mistakes(one._replace(text=_named(key.text, one.text)) for one in wrong.found) from None

    def _check_complete(self, node: Entries) -> None:
        there = {key.text for key, _ in node.entries}
        missing = [name for name, each in self.fields.items() if each.required and name not in there]
        if missing:
            raise mistake(node.place, f"{', '.join(f'`{name}`' for name in missing)} is missing here")
        if self.any_of and not there & set(self.any_of):
            raise mistake(node.place, f"{' or '.join(f'`{name}`' for name in self.any_of)} is missing here")

    def schema(self) -> dict[str, Any]:
        properties = {name: {"description": each.help, **each.kind.schema()} for name, each in self.fields.items()}
        made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
        required = [name for name, each in self.fields.items() if each.required]
        if required:
            made["required"] = required
        if self.any_of:
            made["anyOf"] = [{"required": [name]} for name in self.any_of]
        return made


def _named(key: str, text: str) -> str:
    """A message with the key that it is about; the innermost is enough."""
    return text if text.startswith("`") else f"`{key}`: {text}"


@dataclass(frozen=True)
class Promise:
    """`yes`, or a record that says more; None for `no`.

    Args:
        record: what may be said.
    """

    record: Record

    def read(self, node: Node) -> Section | None:
        wanted = switch(node)
        if wanted is not None:
            return Section(node.place) if wanted else None
        if not isinstance(node, Entries):
            accepted = ", ".join(self.record.fields)
            raise mistake(node.place, f"yes, no or a mapping belongs here, not {found(node)}; accepted: {accepted}")
        return self.record.read(node)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"enum": [True, False, "yes", "no"]}, self.record.schema()]}
