"""Records as JSON and back: by the types of their fields, nothing else is ever made of what is read."""

from __future__ import annotations

import enum
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class NotARecord(ValueError):
    """The text is no record of the kind; the message says where they part, and never what the text holds."""


def encoded(record: Any) -> str:
    """A frozen dataclass as JSON, in ASCII: what is inside of it are dataclasses, enums, tuples and plain JSON.

    NaN and Infinity are written bare, as Python's JSON reads them back.

    Raises:
        TypeError: something else is inside.
    """
    return json.dumps(_plain(record), separators=(",", ":"))


def decoded(kind: type[T], text: str) -> T:
    """The record that was encoded.

    Fields that have a default may be absent; every other one must be there, with a value of its type, and no
    field that the kind does not have.

    Raises:
        NotARecord: the text is none of this kind.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise NotARecord("is not JSON") from problem
    made: T = _record(kind, document)
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return dict(value) if isinstance(value, Mapping) else value


Reader = Callable[[Any], Any]
"""From a piece of JSON to a value of one type."""


def _record(kind: Any, document: Any) -> Any:
    readers, required = _fields(kind)
    if not isinstance(document, dict):
        raise NotARecord("is no object")
    # Fields of earlier versions, which a kind names.
    former = getattr(kind, "FORMER_FIELDS", ())
    document = {name: value for name, value in document.items() if name not in former}
    if not document.keys() <= readers.keys():
        raise NotARecord("has a member that is not known")
    if not required <= document.keys():
        raise NotARecord(f"has no {', '.join(sorted(required - document.keys()))}")
    made = {}
    for name, value in document.items():
        try:
            made[name] = readers[name](value)
        except NotARecord as problem:
            raise NotARecord(f"{name}: {problem}") from None
    return kind(**made)


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, Reader], set[str]]:
    """The readers of a dataclass's fields by name, and the names of those without a default."""
    hints = typing.get_type_hints(kind)
    required = {field.name for field in fields(kind) if field.default is field.default_factory is MISSING}
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}, required


def _reader(hint: Any) -> Reader:
    if hint is Any:
        return lambda document: document
    if is_dataclass(hint):
        return functools.partial(_record, hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        present = _reader(next(argument for argument in arguments if argument is not types.NoneType))
        return lambda document: None if document is None else present(document)
    if origin in (tuple, list):
        inner, made = _reader(arguments[0]), origin
        return lambda document: made(map(inner, _of((list,), document)))
    if origin is typing.Literal:
        return functools.partial(_among, arguments)
    return _plain_reader(origin or hint)


def _plain_reader(kind: Any) -> Reader:
    if issubclass(kind, enum.Enum):
        values = tuple(member.value for member in kind)
        return lambda document: kind(_among(values, document))
    if issubclass(kind, Mapping):
        return functools.partial(_of, (dict,))
    # A clock may count whole seconds.
    return functools.partial(_of, (int, float) if kind is float else (kind,))


def _of(kinds: tuple[type, ...], document: Any) -> Any:
    # Not isinstance: True is no number here.
    if type(document) not in kinds:
        raise NotARecord(f"is no {kinds[-1].__name__}")
    return document


def _among(values: tuple[str, ...], document: Any) -> Any:
    if not isinstance(document, str) or document not in values:
        raise NotARecord(f"is none of {', '.join(values)}")
    return document
