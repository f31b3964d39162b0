"""Faults on demand: the one text form that markers, the ini file and files share, one fault a line."""

from __future__ import annotations

import math
import random
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pytest_wml.config import similar_names
from pytest_wml.errors import WMLTestError

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST_WAIT = 3600.0


class BadFault(WMLTestError):
    """A line is no fault."""


def resource(path: str) -> str:
    """A path without the ids in it: `/ml/v4/deployments/<id>/predictions` is `/ml/v4/deployments/predictions`."""
    return "/" + "/".join(part for part in path.split("/") if part and not _ID.fullmatch(part))


@dataclass(frozen=True)
class FaultTarget:
    """Which requests a fault is for: `POST /predictions`, `DELETE`, `deployments`.

    Args:
        method: in capitals; empty for every method.
        path: how the path ends once the ids are taken out of it; empty for every path but those that give tokens.
    """

    method: str = ""
    path: str = ""

    @classmethod
    def of(cls, text: str) -> FaultTarget:
        """Read it.

        Raises:
            ValueError: it is no method with the end of a path.
        """
        words = text.split()
        method = words.pop(0) if words and words[0].isalpha() and words[0].isupper() else ""
        path = words.pop(0) if words else ""
        if words or "?" in path or not (method or path):
            raise ValueError('a method, the end of a path, or both: "POST /predictions", without a query')
        return cls(method, resource(path).lower().strip("/"))

    def matches(self, method: str, path: str, *, for_token: bool) -> bool:
        """Whether a request is meant; one for a token only where its path is named."""
        if self.method not in ("", method.upper()) or (for_token and not self.path):
            return False
        return f"{resource(path)}/".lower().endswith(f"/{self.path}/" if self.path else "/")

    def __str__(self) -> str:
        return " ".join(filter(None, [self.method, f"/{self.path}" if self.path else ""]))


@dataclass(frozen=True)
class Fault:
    """One fault. What its kind does not know stays at its default.

    Args:
        kind: one of KINDS.
        code: the status that is answered.
        retry_after: seconds that the header Retry-After says.
        seconds: how long an answer is held back.
        after: requests that a token is good for.
        after_bytes: bytes of a body that pass before the connection is cut.
        name: of the deployment; empty for every one.
        reason: why the deployment failed.
        on: which requests are meant.
        nth: the first of the requests that are meant to get it, counted from 1.
        times: how often at most it is injected; None for always.
        probability: with which each of these requests gets it.
        seed: makes the choice repeatable: the same n-th request gets it in every run.
    """

    kind: str
    code: int = 0
    retry_after: int | None = None
    seconds: float = 0.0
    after: int = 0
    after_bytes: int = 20
    name: str = ""
    reason: str = "The model could not be loaded."
    on: FaultTarget = FaultTarget()
    nth: int = 1
    times: int | None = None
    probability: float = 1.0
    seed: int = 0

    def chosen(self, number: int) -> bool:
        """Whether the request with this number, of those that are meant, may get it."""
        if number < self.nth:
            return False
        if self.probability >= 1:
            return True
        # The number decides, not a generator that goes on: concurrent requests do not change each other's choice.
        return random.Random(f"{self}/{number}").random() < self.probability  # noqa: S311 - not for secrets

    def __str__(self) -> str:
        words = [self.kind]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default or field.name.replace("_", "-") in KINDS[self.kind].needs:
                words.append(f"{field.name.replace('_', '-')}={shlex.quote(str(value))}")
        return " ".join(words)


class Script(tuple[Fault, ...]):
    """Several faults; its text is what asks for them, in one line."""

    __slots__ = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self))


def _number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            raise ValueError(f"a whole number from {least}")
        return int(text)

    return read


def _code(text: str) -> int:
    if not re.fullmatch(r"[45][0-9][0-9]", text) or int(text) not in set(HTTPStatus):
        raise ValueError("the number of an HTTP error, such as 429 or 500")
    return int(text)


def _within(least: float, most: float, what: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(what)
        return value

    return read


def _text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("some text")
    return text


_WORDS: dict[str, Callable[[str], Any]] = {
    "code": _code,
    "retry-after": _number(0),
    "seconds": _within(0, _LONGEST_WAIT, "seconds, up to 3600"),
    "after": _number(0),
    "after-bytes": _number(0),
    "name": _text,
    "reason": _text,
    "on": FaultTarget.of,
    "nth": _number(1),
    "times": _number(1),
    "probability": _within(0, 1, "a number from 0 to 1"),
    "seed": _number(0),
}
_CHOICE = ("nth", "times", "probability", "seed")


@dataclass(frozen=True)
class FaultKind:
    """What a kind of fault must be told, and what it may be told."""

    needs: tuple[str, ...]
    may: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return self.needs + self.may


KINDS = {
    "token-expires": FaultKind(("after",), ("times",)),
    "status": FaultKind(("code",), ("retry-after", "on", *_CHOICE)),
    "slow": FaultKind(("seconds",), ("on", *_CHOICE)),
    "deployment-stuck": FaultKind((), ("name", *_CHOICE)),
    "deployment-failed": FaultKind((), ("name", "reason", *_CHOICE)),
    "cut": FaultKind((), ("after-bytes", "on", *_CHOICE)),
}


def parse(lines: str | Iterable[str], where: str = "") -> Script:
    """The faults that some lines ask for; blank lines and what follows a `#` say nothing.

    Args:
        lines: a text, or its lines.
        where: what the lines are from, for an error.

    Raises:
        BadFault: a line is no fault; the error has its number and what would be one.
    """
    numbered = enumerate(lines.splitlines() if isinstance(lines, str) else lines, 1)
    found = (_fault(line, f"{where}, line {number}" if where else f"line {number}") for number, line in numbered)
    return Script(fault for fault in found if fault is not None)


def read(path: Path) -> Script:
    """The faults of a file.

    Raises:
        BadFault: it cannot be read, or a line is no fault.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise BadFault(
            f"The file of faults cannot be read: {path}.",
            reason=getattr(error, "strerror", None) or error,
            there_is=similar_names.files(path),
            fix="name a text file with one fault a line",
        ) from None
    return parse(text, str(path))


def _fault(line: str, where: str) -> Fault | None:
    try:
        kind, *words = shlex.split(line, comments=True) or [""]
    except ValueError:
        raise _bad(line, where, "a quotation mark is not closed") from None
    if not kind:
        return None
    if kind not in KINDS:
        raise _bad(line, where, f"there is no {kind!r}", list(KINDS), kind)
    given = dict(_given(line, where, kind, words))
    if len(given) < len(words):
        raise _bad(line, where, "something is given twice")
    missing = [f"{name}=" for name in KINDS[kind].needs if name not in given]
    if missing:
        raise _bad(line, where, f"{kind} needs {' and '.join(missing)}", _accepted(kind))
    # The N-th request alone, unless more are asked for.
    once = {"times": 1} if "nth" in given else {}
    return Fault(kind, **once | {name.replace("-", "_"): value for name, value in given.items()})


def _given(line: str, where: str, kind: str, words: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for word in words:
        name, equals, value = word.partition("=")
        if name not in KINDS[kind].words or not equals:
            raise _bad(line, where, f"{kind} does not know {word!r}", _accepted(kind), f"{name}=")
        try:
            yield name, _WORDS[name](value)
        except ValueError as expected:
            raise _bad(line, where, f"{word} is not {expected}") from None


def _accepted(kind: str) -> list[str]:
    return [f"{name}=" for name in KINDS[kind].words]


def _bad(line: str, where: str, problem: str, accepts: Sequence[str] = (), given: str = "") -> BadFault:
    meant = similar_names.closest(given, accepts)
    return BadFault(
        f"This is no fault ({where}): {problem}.",
        line=line.strip(),
        accepts=", ".join(accepts),
        fix=f"did you mean {meant}?" if meant else 'write, for example: status code=429 on="POST /predictions"',
    )
