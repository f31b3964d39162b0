"""Writes values as YAML that every YAML parser reads as the same type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_wml.model.signature import TensorSpec

# Texts that YAML 1.1 or 1.2 reads as a Boolean, null or a number.
_OTHER = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|[-+]?\.(inf|nan)|[-+]?\.?\d.*")
_PLAIN = re.compile(r"[A-Za-z_./][\w./+-]*", re.ASCII)
_NUMBER = re.compile(r"0|-?[1-9]\d{0,15}")


def text(value: str) -> str:
    """A text, quoted if necessary."""
    if _PLAIN.fullmatch(value) and not _OTHER.fullmatch(value):
        return value
    return '"' + "".join(_escaped(letter) for letter in value) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def label(value: object) -> str:
    """A class, as a number or a text."""
    return str(value) if _NUMBER.fullmatch(str(value)) else text(str(value))


def values(value: Any) -> str:
    """A number, a text, or nested lists of them, in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(values, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value) if isinstance(value, str) else repr(value)


def tensor(spec: TensorSpec) -> str:
    """The name, type and shape of an input or output."""
    lengths = ", ".join("any" if length is None else str(length) for length in spec.shape or ())
    return f"{text(spec.name)}: {spec.dtype} [{lengths}]"


def block(lines: Sequence[str], depth: int) -> list[str]:
    """The lines, indented."""
    return [" " * depth + line for line in lines]
