"""What doctor says: one line a check."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_wml.redaction.known import Secrets


class Verdict(enum.Enum):
    """How a check came out."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


class Line(NamedTuple):
    """One check.

    Args:
        check: its name.
        found: what was found, a sentence.
        fix: the way on; empty where all is well.
    """

    check: str
    verdict: Verdict
    found: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        return {"check": self.check, "verdict": self.verdict.value, "found": self.found, "fix": self.fix}


def passed(check: str, found: str) -> Line:
    return Line(check, Verdict.PASS, found)


def warned(check: str, found: str, fix: str) -> Line:
    return Line(check, Verdict.WARN, found, fix)


def failed(check: str, found: str, fix: str) -> Line:
    return Line(check, Verdict.FAIL, found, fix)


def masked(line: Line, secrets: Secrets) -> Line:
    """The line with every secret covered, and in one piece."""
    return line._replace(found=_one_line(secrets.mask(line.found)), fix=_one_line(secrets.mask(line.fix)))


def _one_line(text: str) -> str:
    # What a server says may move a terminal's cursor.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def rendered(line: Line) -> Iterator[str]:
    """A line for the terminal, and below it the way on."""
    yield f"{line.verdict.value}  {line.check}: {line.found}"
    if line.fix:
        yield f"      what to do: {line.fix}"


def closing(lines: Iterable[Line]) -> str:
    """How many checks came out how."""
    verdicts = [line.verdict for line in lines]
    return ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)


def worst(lines: Iterable[Line]) -> Verdict:
    """The verdict on the whole."""
    order = list(Verdict)
    return max((line.verdict for line in lines), key=order.index, default=Verdict.PASS)
