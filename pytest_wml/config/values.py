"""Parses the texts of options to their values.

A parser raises a ValueError whose message describes the expected value.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.config.json_paths import JsonPaths

T = TypeVar("T")


class Mode(enum.Enum):
    """The mode of a run: the source of the answers."""

    REPLAY = "replay"
    EMBEDDED = "embedded"
    LIVE = "live"


class Setting(NamedTuple, Generic[T]):
    """The value of an option, with its source."""

    value: T
    source: str = "default"


_QUOTES = ('""', "''", "“”", "‘’", "«»")


def unwrapped(text: str, *, lines: bool, commented: bool) -> str:
    """A value without the marks of another notation such as TOML: quotes, brackets of a list, a comment after it.

    Args:
        text: the given value.
        lines: whether each line is a value.
        commented: whether ` #` starts a comment.
    """
    text = text.strip()
    if lines:
        if text[:1] + text[-1:] == "[]":
            return "\n".join(first or second for first, second in re.findall(r"\"([^\"]*)\"|'([^']*)'", text))
        return "\n".join(_unquoted(line.strip()) for line in text.splitlines())
    return _unquoted(re.sub(r"\s#.*", "", text).rstrip() if commented else text)


def _unquoted(text: str) -> str:
    return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in _QUOTES else text


def mode(text: str) -> Mode:
    """Parse a mode."""
    try:
        return Mode(text.strip().lower())
    except ValueError:
        raise ValueError("one of replay, embedded, live") from None


def switch(text: str) -> bool:
    """Parse a switch: yes or no, true or false, on or off, 1 or 0."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("a switch: yes or no")


def file_name(text: str) -> str:
    """Parse a file name without folders."""
    name = text.strip()
    if name != Path(name).name or name.startswith("."):
        raise ValueError("a plain file name without folders")
    return name


def folder(text: str) -> str:
    """Parse the path of a folder, which need not exist."""
    name = text.strip()
    if name.lower().endswith((".html", ".htm")) or Path(name).is_file():
        raise ValueError("a folder, into which index.html is written")
    return name


def hosts(text: str) -> str:
    """Parse hosts, also given as URLs."""
    return ", ".join(urlsplit(word).netloc or word for word in text.replace(",", " ").split())


def days(text: str) -> int:
    """Parse a number of days, at least 0."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("a number of days, 0 or more")
    return number


def positive(text: str) -> int:
    """Parse a whole number, at least 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("a whole number from 1")
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds."""
    return _number_in_range(text, 1, 86_400, "a number of seconds, from 1 to 86400")


def hours(text: str) -> float:
    """Parse a number of hours."""
    return _number_in_range(text, 0.1, 720, "a number of hours, from 0.1 to 720")


def _number_in_range(text: str, least: float, most: float, expected: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:  # also for NaN
        raise ValueError(expected)
    return number


def _plans(text: str) -> tuple[Plan, ...]:
    from pytest_wml.config.deployment_specs import parsed  # imported on first use, so that other runs start faster

    return parsed(text)


def _paths(text: str) -> JsonPaths:
    from pytest_wml.config.json_paths import parsed  # imported on first use, so that other runs start faster

    return parsed(text)


def _read_faults(path: str) -> tuple[Fault, ...]:
    from pytest_wml.config.fault_rules import read  # imported on first use, so that other runs start faster

    return read(Path(path.strip()))


def _parse_faults(lines: str) -> tuple[Fault, ...]:
    from pytest_wml.config.fault_rules import parse

    return parse(lines, "ini wml_faults")


KINDS: dict[str, Callable[[str], Any]] = {
    "mode": mode,
    "switch": switch,
    "text": str.strip,
    "file name": file_name,
    "folder": folder,
    "hosts": hosts,
    "days": days,
    "count": positive,
    "seconds": seconds,
    "hours": hours,
    "plans": _plans,
    "paths": _paths,
    "faults": _read_faults,
}
"""Parser of each kind of option value."""

WORDS = {"mode": [mode.value for mode in Mode], "switch": ["yes", "no", "true", "false", "on", "off"]}
"""Accepted words of each kind of option value that has a fixed set of words."""

IN_INI: dict[str, Callable[[str], Any]] = {"faults": _parse_faults}
"""Parsers for ini files that differ from those for flags: the ini contains lines, the flag names a file of lines."""
