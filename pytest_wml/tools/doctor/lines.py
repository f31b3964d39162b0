"""The lines that doctor prints: one for each check."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_wml.redaction.known import Secrets


class Verdict(enum.Enum):
    """Result of a check."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"


class Line(NamedTuple):
    """One line: the result of one check.

    Args:
        check: name of the check.
        found: the finding as a sentence.
        fix: the recommended action; empty if none is needed.
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
    """The line with masked secrets and without control characters."""
    return line._replace(found=_one_line(secrets.mask(line.found)), fix=_one_line(secrets.mask(line.fix)))


def _one_line(text: str) -> str:
    # Texts of a server may contain terminal control characters.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def rendered(line: Line) -> Iterator[str]:
    """The lines for the terminal: the result, and below it the recommended action."""
    yield f"{line.verdict.value}  {line.check}: {line.found}"
    if line.fix:
        yield f"      what to do: {line.fix}"


def closing(lines: Iterable[Line]) -> str:
    """The number of checks by result."""
    verdicts = [line.verdict for line in lines]
    return ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)


def worst(lines: Iterable[Line]) -> Verdict:
    """The worst result."""
    order = list(Verdict)
    return max((line.verdict for line in lines), key=order.index, default=Verdict.PASS)
