"""What looks like a secret or personal data in a file, from any source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_wml.redaction.known import Secrets
from pytest_wml.redaction.text import secrets_of

_PERSONAL_ID = re.compile(r"\bIBMid-(?!0{12}\b)[0-9A-Z]{8,}\b")


@dataclass(frozen=True)
class Hit:
    """A place that looks like a secret.

    Args:
        line: 1 for the first.
        column: 1 for the first.
        kind: what it looks like.
    """

    line: int
    column: int
    kind: str


def hits(text: str, secrets: Secrets) -> Iterator[Hit]:
    """Yield every place that looks like a secret, or is one of those known; the secret itself is not repeated."""
    for number, line in enumerate(text.splitlines(), start=1):
        found = [*((span.start, span.kind) for span in secrets_of(line)), *_personal(line)]
        for place, kind in sorted(found):
            yield Hit(number, place + 1, kind)
        if not found and secrets.found_in(line):
            yield Hit(number, 1, "a secret of the environment")


def _personal(line: str) -> Iterator[tuple[int, str]]:
    for found in _PERSONAL_ID.finditer(line):
        yield found.start(), "personal id"
