"""What looks like a secret in a file, whoever wrote it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_wml.cassette.scrub import Secrets
from pytest_wml.tokens import minted

# Name, pattern; a group named `secret` is what is looked at, where the pattern needs context.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("JSON web token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*")),
    ("bearer token", re.compile(r"\b[Bb]earer +(?P<secret>[\w.~+/-]{16,}=*)")),
    ("basic credentials", re.compile(r"\bBasic +(?P<secret>[A-Za-z0-9+/]{12,}=*)")),
    ("API key in a form", re.compile(r"\b(?:apikey|password|refresh_token)=(?P<secret>[^&\s\"'\\]{6,})")),
    (
        "named secret",
        re.compile(
            r"\\?[\"'](?:api_?key|access_token|accessToken|refresh_token|id_token|password|secret_access_key|"
            r"access_key_id|private_key|client_secret|secret)\\?[\"']\s*:\s*\\?[\"'](?P<secret>[^\"'\\]{6,})",
            re.IGNORECASE,
        ),
    ),
    ("set cookie", re.compile(r"[Ss]et-[Cc]ookie[\"']?:\s*(?:\[|\n\s*-)?\s*[\"']?(?P<secret>[\w-]+=[^;\s\"']{6,})")),
    ("private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("personal id", re.compile(r"\bIBMid-(?!0{12}\b)[0-9A-Z]{8,}\b")),
)
# IBM's clients send bx:bx to IAM, which everybody knows; the minted token is signed by nobody.
_HARMLESS = frozenset({base64.b64encode(b"bx:bx").decode(), minted(), "not_supported"})


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
        seen: set[int] = set()
        for kind, pattern in _PATTERNS:
            for found in pattern.finditer(line):
                group = "secret" if "secret" in pattern.groupindex else 0
                place = found.start(group)
                if not _harmless(found[group]) and place not in seen:
                    seen.add(place)
                    yield Hit(number, place + 1, kind)
        if not seen and secrets.found_in(line):
            yield Hit(number, 1, "a secret of the environment")


def _harmless(secret: str) -> bool:
    return (
        secret in _HARMLESS or not secret.strip("*") or secret.lower() in ("redacted", "<redacted>") or _dummy(secret)
    )


def _dummy(secret: str) -> bool:
    """Whether a JSON web token is one that a tool put in a real one's place: it names nobody and never ends."""
    parts = secret.split(".")
    if len(parts) != 3:
        return False
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "==="))
    except ValueError:
        return False
    return isinstance(payload, dict) and payload.get("sub") == "pytest-wml" and set(payload) == {"sub", "iat", "exp"}
