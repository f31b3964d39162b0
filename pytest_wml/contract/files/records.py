"""Kinds of composed values in a contract file: lists, mappings, records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pytest_wml.contract.files.kinds import ValueKind, describe, is_empty, switch
from pytest_wml.contract.files.mistakes import Mistakes, Place, mistake, read_all, shown, unknown_word
from pytest_wml.contract.files.nodes import Entries, Items, Node, Scalar


@dataclass(frozen=True)
class ListOf:
    """A list with at least one value of a kind."""

    kind: ValueKind

    def read(self, node: Node) -> tuple[Any, ...]:
        if not isinstance(node, Items) or not node.items:
            raise mistake(node.place, f"a list with one entry or more is required here, not {describe(node)}")
        return tuple(read_all(partial(self.kind.read, item) for item in node.items))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "items": self.kind.schema()}


@dataclass(frozen=True)
class OneOrMore:
    """A value of a kind, or a list of such values."""

    kind: ValueKind

    def read(self, node: Node) -> tuple[Any, ...]:
        return ListOf(self.kind).read(node) if isinstance(node, Items) else (self.kind.read(node),)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.kind.schema(), ListOf(self.kind).schema()]}


@dataclass(frozen=True)
class MapOf:
    """A mapping with any names as keys."""

    kind: ValueKind

    def read(self, node: Node) -> dict[str, Any]:
        if not isinstance(node, Entries) or not node.entries:
            raise mistake(node.place, f"a mapping with one entry or more is required here, not {describe(node)}")
        values = read_all(partial(self.kind.read, value) for _, value in node.entries)
        return dict(zip([key.text for key, _ in node.entries], list(values), strict=True))

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "minProperties": 1, "additionalProperties": self.kind.schema()}


class Field(NamedTuple):
    """One key of a record: the kind of its value, and its description."""

    kind: ValueKind
    help: str
    required: bool = False


@dataclass(frozen=True)
class Section:
    """A record that was read: values by key, and the position of each key."""

    place: Place
    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    def some(self, *names: str) -> dict[str, Any]:
        """The present values among the given keys."""
        return {name: self.values[name] for name in names if name in self.values}


@dataclass(frozen=True)
class RecordOf:
    """A mapping with known keys.

    Args:
        fields: the known keys.
        any_of: keys of which at least one is required.
    """

    fields: Mapping[str, Field]
    any_of: tuple[str, ...] = ()

    def read(self, node: Node) -> Section:
        if not isinstance(node, Entries):
            raise mistake(
                node.place, f"a mapping is required here, not {describe(node)}; accepted: {', '.join(self.fields)}"
            )
        reads = [partial(self._entry, key, value) for key, value in node.entries]
        entries = list(read_all([*reads, partial(self._check_complete, node)]))
        return Section(node.place, dict(filter(None, entries)), {key.text: key.place for key, _ in node.entries})

    def _entry(self, key: Scalar, value: Node) -> tuple[str, Any]:
        known = self.fields.get(key.text)
        if known is None:
            raise mistake(key.place, unknown_word(shown(key.text), key.text, self.fields))
        if is_empty(value):
            raise mistake(key.place, f"`{key.text}` has no value: {known.help}")
        try:
            return key.text, known.kind.read(value)
        except Mistakes as wrong:
            raise Mistakes(one._replace(text=_with_key(key.text, one.text)) for one in wrong.found) from None

    def _check_complete(self, node: Entries) -> None:
        present = {key.text for key, _ in node.entries}
        missing = [name for name, each in self.fields.items() if each.required and name not in present]
        if missing:
            raise mistake(node.place, f"{', '.join(f'`{name}`' for name in missing)} is missing here")
        if self.any_of and not present & set(self.any_of):
            raise mistake(node.place, f"{' or '.join(f'`{name}`' for name in self.any_of)} is missing here")

    def schema(self) -> dict[str, Any]:
        properties = {name: {"description": each.help, **each.kind.schema()} for name, each in self.fields.items()}
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
        required = [name for name, each in self.fields.items() if each.required]
        if required:
            schema["required"] = required
        if self.any_of:
            schema["anyOf"] = [{"required": [name]} for name in self.any_of]
        return schema


def _with_key(key: str, text: str) -> str:
    """A message that starts with its key, unless it names an inner key already."""
    return text if text.startswith("`") else f"`{key}`: {text}"


@dataclass(frozen=True)
class SwitchOrRecord:
    """`yes`, `no` or a record of options; None for `no`.

    Args:
        record: the options.
    """

    record: RecordOf

    def read(self, node: Node) -> Section | None:
        wanted = switch(node)
        if wanted is not None:
            return Section(node.place) if wanted else None
        if not isinstance(node, Entries):
            accepted = ", ".join(self.record.fields)
            raise mistake(
                node.place, f"yes, no or a mapping is required here, not {describe(node)}; accepted: {accepted}"
            )
        return self.record.read(node)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"enum": [True, False, "yes", "no"]}, self.record.schema()]}
