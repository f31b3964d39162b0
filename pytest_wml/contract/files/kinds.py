"""Kinds of values in a contract file; each kind reads a node and has a JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pytest_wml.contract.files.mistakes import Place, mistake, shown, unknown_word
from pytest_wml.contract.files.nodes import Items, Node, Scalar

# Numbers of YAML 1.2 and JSON. YAML 1.1 reads 1e-5 as text and 1:30 as ninety.
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SWITCH = {"yes": True, "no": False}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class ValueKind(Protocol):
    """A kind of value."""

    def read(self, node: Node) -> Any:
        """Return the value of a node.

        Raises:
            Mistakes: the node is not a valid value.
        """

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this kind."""


def is_empty(node: Node) -> bool:
    """Whether a node is empty: a key without a value."""
    return isinstance(node, Scalar) and node.plain and node.text in _NOTHING


def scalar_value(node: Node) -> float | int | bool | str | None:
    """The value of a scalar; None for a list, a mapping or an empty node."""
    if not isinstance(node, Scalar) or is_empty(node):
        return None
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    if _NUMBER.fullmatch(node.text):
        number = float(node.text)
        whole = re.fullmatch(r"[-+]?\d{1,18}", node.text, re.ASCII)
        return int(node.text) if whole else number
    return node.text


def switch(node: Node) -> bool | None:
    """The Boolean of a yes/no value; None for anything else."""
    if not isinstance(node, Scalar):
        return None
    return _SWITCH.get(node.text, _WORDS.get(node.text) if node.plain else None)


def describe(node: Node) -> str:
    """Describe a node for a message."""
    if isinstance(node, Scalar):
        return "nothing" if is_empty(node) else shown(node.text)
    return "a list" if isinstance(node, Items) else "a mapping"


@dataclass(frozen=True)
class Number:
    """A number within limits.

    Args:
        what: description for messages.
        least: the smallest accepted number.
        most: the largest accepted number; None for no limit.
        above: whether `least` itself is excluded.
        whole: whether only whole numbers are accepted.
    """

    what: str
    least: float = 0.0
    most: float | None = None
    above: bool = False
    whole: bool = False

    def read(self, node: Node) -> float | int:
        value = scalar_value(node)
        if self.whole and isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not self._holds(value):
            raise mistake(node.place, f"{self.what} is required here, not {describe(node)}")
        return value

    def _holds(self, value: float) -> bool:
        if value != value or value in (float("inf"), float("-inf")) or (self.whole and not isinstance(value, int)):
            return False
        return (value > self.least if self.above else value >= self.least) and (self.most is None or value <= self.most)

    def schema(self) -> dict[str, Any]:
        limits: dict[str, Any] = {"exclusiveMinimum" if self.above else "minimum": self.least}
        if self.most is not None:
            limits["maximum"] = self.most
        return {"type": "integer" if self.whole else "number", **limits}


@dataclass(frozen=True)
class Text:
    """A text that matches a pattern.

    Args:
        what: description for messages.
        pattern: regular expression for the whole text.
    """

    what: str
    pattern: str = ".+"

    def read(self, node: Node) -> str:
        value = scalar_value(node)
        if isinstance(value, bool | int | float):
            raise mistake(
                node.place, f"{self.what} is required here; put quotes around {describe(node)} to make it a text"
            )
        if value is None or not re.fullmatch(self.pattern, value):
            raise mistake(node.place, f"{self.what} is required here, not {describe(node)}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    words: tuple[str, ...]

    def read(self, node: Node) -> str:
        text = node.text if isinstance(node, Scalar) else ""
        if text not in self.words:
            raise mistake(node.place, unknown_word(describe(node), text, self.words))
        return text

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


class Duration:
    """A time with its unit, such as `200 ms`; a number without a unit is ambiguous."""

    _form = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s)", re.ASCII)

    def read(self, node: Node) -> float:
        value = scalar_value(node)
        match = self._form.fullmatch(value) if isinstance(value, str) else None
        seconds = float(match[1]) / (1000 if match[2] == "ms" else 1) if match else 0.0
        if not 0 < seconds < float("inf"):
            raise mistake(node.place, f"a time such as 200 ms or 0.2 s is required here, not {describe(node)}")
        return seconds

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^0*(?:[1-9]\d*(?:\.\d+)?|0\.0*[1-9]\d*) ?(?:ms|s)$"}


class FileName(NamedTuple):
    """A path in the contract file, relative to the folder of the contract file."""

    text: str
    place: Place


@dataclass(frozen=True)
class FileValue:
    """The path of a file or folder."""

    what: str

    def read(self, node: Node) -> FileName:
        return FileName(Text(self.what, r"[^\x00]+").read(node), node.place)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


class Label:
    """A class as text: 5, 5.0 and "5" are the same class, and `no` is a text, not a Boolean."""

    def read(self, node: Node) -> str:
        value = scalar_value(node)
        if value is None or value == "":
            raise mistake(node.place, f"a class, a number or a text, is required here, not {describe(node)}")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(int(value) if isinstance(value, bool) else value)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"], "minLength": 1}
