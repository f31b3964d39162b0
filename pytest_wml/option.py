"""What an option is, and how its text is read: a parser raises a ValueError that says what it expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")


class Setting(NamedTuple, Generic[T]):
    """A value that knows where it came from."""

    value: T
    source: str = "default"


class Option(Generic[T]):
    """One option and all the ways to give it.

    Args:
        name: from which flag, variable and ini key are made.
        default: its value where it is not given.
        parse: reads its text.
        help: for `pytest --help`.
        metavar: what its value is called there.
        parse_ini: how the ini's text is read where that differs: lines, where the flag names a file of lines.
    """

    def __init__(
        self,
        name: str,
        default: T,
        parse: Callable[[str], T],
        help: str,
        metavar: str | None = None,
        parse_ini: Callable[[str], T] | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.parse = parse
        self.help = help
        self.metavar = metavar
        self.parse_ini = parse_ini

    @property
    def flag(self) -> str:
        return "--wml" if self.name == "mode" else "--wml-" + self.name.replace("_", "-")

    @property
    def env(self) -> str:
        return "WML_" + self.name.upper()

    @property
    def ini(self) -> str:
        return "wml_" + self.name

    @property
    def dest(self) -> str:
        return "wml_" + self.name


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
