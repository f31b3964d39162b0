"""Parses faults to inject: one fault for each line, in markers, ini files and files of faults."""

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
    """A line is not a valid fault."""


def resource(path: str) -> str:
    """A path without ids: `/ml/v4/deployments/<id>/predictions` becomes `/ml/v4/deployments/predictions`."""
    return "/" + "/".join(part for part in path.split("/") if part and not _ID.fullmatch(part))


@dataclass(frozen=True)
class FaultTarget:
    """The requests that a fault applies to: `POST /predictions`, `DELETE`, `deployments`.

    Args:
        method: HTTP method in capitals; empty for every method.
        path: end of the path without ids; empty for every path except those of token requests.
    """

    method: str = ""
    path: str = ""

    @classmethod
    def of(cls, text: str) -> FaultTarget:
        """Parse a target.

        Raises:
            ValueError: the text is not a method, the end of a path, or both.
        """
        words = text.split()
        method = words.pop(0) if words and words[0].isalpha() and words[0].isupper() else ""
        path = words.pop(0) if words else ""
        if words or "?" in path or not (method or path):
            raise ValueError('a method, the end of a path, or both: "POST /predictions", without a query')
        return cls(method, resource(path).lower().strip("/"))

    def matches(self, method: str, path: str, *, for_token: bool) -> bool:
        """Whether the target matches a request; token requests only match a target with their path."""
        if self.method not in ("", method.upper()) or (for_token and not self.path):
            return False
        return f"{resource(path)}/".lower().endswith(f"/{self.path}/" if self.path else "/")

    def __str__(self) -> str:
        return " ".join(filter(None, [self.method, f"/{self.path}" if self.path else ""]))


@dataclass(frozen=True)
class Fault:
    """One fault; fields that its kind does not use keep their defaults.

    Args:
        kind: one of KINDS.
        code: HTTP status of the answer.
        retry_after: seconds in the header Retry-After.
        seconds: delay of the answer in seconds.
        after: number of requests until a token expires.
        after_bytes: number of body bytes that are sent before the connection is cut.
        name: name of the deployment; empty for every deployment.
        reason: failure reason of the deployment.
        on: the requests that the fault applies to.
        nth: number of the first matching request that gets the fault, counted from 1.
        times: largest number of injections; None for no limit.
        probability: probability of the fault for each of these requests.
        seed: random seed; with the same seed the same requests get the fault in every run.
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
        """Whether the matching request with this number gets the fault."""
        if number < self.nth:
            return False
        if self.probability >= 1:
            return True
        # Depends on the number only, so that concurrent requests do not affect each other.
        return random.Random(f"{self}/{number}").random() < self.probability  # noqa: S311 - not for secrets

    def __str__(self) -> str:
        words = [self.kind]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default or field.name.replace("_", "-") in KINDS[self.kind].needs:
                words.append(f"{field.name.replace('_', '-')}={shlex.quote(str(value))}")
        return " ".join(words)


class Script(tuple[Fault, ...]):
    """Several faults; the text is their specification in one line."""

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


_PARAMETERS: dict[str, Callable[[str], Any]] = {
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
    """Required and optional parameters of a kind of fault."""

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
    """Parse one fault for each line; empty lines and text after a `#` are ignored.

    Args:
        lines: a text, or its lines.
        where: source of the lines, for error messages.

    Raises:
        BadFault: a line is not a valid fault; the message contains its number and the accepted words.
    """
    numbered = enumerate(lines.splitlines() if isinstance(lines, str) else lines, 1)
    found = (_fault(line, f"{where}, line {number}" if where else f"line {number}") for number, line in numbered)
    return Script(fault for fault in found if fault is not None)


def read(path: Path) -> Script:
    """Read the faults in a file.

    Raises:
        BadFault: the file cannot be read, or a line is not a valid fault.
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
        raise _bad_fault(line, where, "a quotation mark is not closed") from None
    if not kind:
        return None
    if kind not in KINDS:
        raise _bad_fault(line, where, f"the fault {kind!r} is unknown", list(KINDS), kind)
    parameters = dict(_parameters(line, where, kind, words))
    if len(parameters) < len(words):
        raise _bad_fault(line, where, "a parameter occurs twice")
    missing = [f"{name}=" for name in KINDS[kind].needs if name not in parameters]
    if missing:
        raise _bad_fault(line, where, f"{kind} needs {' and '.join(missing)}", _accepted(kind))
    # Only the n-th request, unless `times` is given.
    once = {"times": 1} if "nth" in parameters else {}
    return Fault(kind, **once | {name.replace("-", "_"): value for name, value in parameters.items()})


def _parameters(line: str, where: str, kind: str, words: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for word in words:
        name, equals, value = word.partition("=")
        if name not in KINDS[kind].words or not equals:
            raise _bad_fault(line, where, f"{kind} does not accept {word!r}", _accepted(kind), f"{name}=")
        try:
            yield name, _PARAMETERS[name](value)
        except ValueError as expected:
            raise _bad_fault(line, where, f"{word} is not {expected}") from None


def _accepted(kind: str) -> list[str]:
    return [f"{name}=" for name in KINDS[kind].words]


def _bad_fault(line: str, where: str, problem: str, accepts: Sequence[str] = (), parameters: str = "") -> BadFault:
    meant = similar_names.closest(parameters, accepts)
    return BadFault(
        f"This is not a valid fault ({where}): {problem}.",
        line=line.strip(),
        accepts=", ".join(accepts),
        fix=f"did you mean {meant}?" if meant else 'write, for example: status code=429 on="POST /predictions"',
    )
