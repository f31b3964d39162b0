"""What options are worth: their values, and how their text is read.

A parser raises a ValueError that says what it expects.
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
    """Where answers come from."""

    REPLAY = "replay"
    EMBEDDED = "embedded"
    LIVE = "live"


class Setting(NamedTuple, Generic[T]):
    """A value that knows where it came from."""

    value: T
    source: str = "default"


_QUOTES = ('""', "''", "“”", "‘’", "«»")


def unwrapped(text: str, *, lines: bool, commented: bool) -> str:
    """A value without what belongs to another notation, as TOML's: quotes, brackets of a list, a comment behind it.

    Args:
        text: the value as it was given.
        lines: whether each line is a value.
        commented: whether ` #` begins a comment.
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
    """Where answers come from, by name."""
    try:
        return Mode(text.strip().lower())
    except ValueError:
        raise ValueError("one of replay, embedded, live") from None


def switch(text: str) -> bool:
    """Yes or no, in the words that people use."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("a switch: yes or no")


def file_name(text: str) -> str:
    """A file's name, without folders."""
    name = text.strip()
    if name != Path(name).name or name.startswith("."):
        raise ValueError("a plain file name without folders")
    return name


def folder(text: str) -> str:
    """A folder, which need not be there."""
    name = text.strip()
    if name.lower().endswith((".html", ".htm")) or Path(name).is_file():
        raise ValueError("a folder, in which index.html is written")
    return name


def hosts(text: str) -> str:
    """Hosts, also out of URLs."""
    return ", ".join(urlsplit(word).netloc or word for word in text.replace(",", " ").split())


def days(text: str) -> int:
    """A number of days, 0 or more."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("a number of days, 0 or more")
    return number


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("a whole number from 1")
    return int(text)


def seconds(text: str) -> float:
    """A number of seconds."""
    return _from(text, 1, 86_400, "a number of seconds, from 1 to 86400")


def hours(text: str) -> float:
    """A number of hours."""
    return _from(text, 0.1, 720, "a number of hours, from 0.1 to 720")


def _from(text: str, least: float, most: float, expected: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:  # also for NaN
        raise ValueError(expected)
    return number


def _plans(text: str) -> tuple[Plan, ...]:
    from pytest_wml.config.deployment_specs import parsed  # only here: a run of one model does not pay for it

    return parsed(text)


def _paths(text: str) -> JsonPaths:
    from pytest_wml.config.json_paths import parsed  # only here: a run that ignores nothing does not pay for it

    return parsed(text)


def _faults_of(path: str) -> tuple[Fault, ...]:
    from pytest_wml.config.fault_rules import read  # only here: a run without faults does not pay for it

    return read(Path(path.strip()))


def _faults_in(lines: str) -> tuple[Fault, ...]:
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
    "faults": _faults_of,
}
"""How the text of an option is read, by the kind of its value."""

WORDS = {"mode": [mode.value for mode in Mode], "switch": ["yes", "no", "true", "false", "on", "off"]}
"""The values of an option that takes one of a few words, by the kind of its value."""

IN_INI: dict[str, Callable[[str], Any]] = {"faults": _faults_in}
"""The same for ini files, where it differs: lines, where the flag names a file of lines."""
