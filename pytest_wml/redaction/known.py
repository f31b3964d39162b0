"""Masks the known secrets of a run by their values."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from pytest_wml.redaction.text import masked

MASK = "***"
_SHORTEST = 6
"""Shorter secrets are ignored: they occur by chance in any text."""


class Secrets:
    """The known secrets of a run."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self.add(*known)

    def __repr__(self) -> str:
        return f"<{len(self._known)} secrets>"

    def add(self, *secrets: str) -> None:
        """Add secrets; those with fewer than six characters are ignored, since they occur by chance in any text."""
        with self._lock:
            self._known.update(secret for secret in secrets if len(secret) >= _SHORTEST and secret != MASK)

    def all(self) -> frozenset[str]:
        """Return the secrets, for the transfer in memory from an xdist worker to the controller."""
        with self._lock:
            return frozenset(self._known)

    def mask(self, text: str) -> str:
        """Mask every secret in a text: known secrets in any encoding, and secrets by name or shape."""
        for pattern in sorted(self._patterns(), key=len, reverse=True):
            text = text.replace(pattern, MASK)
        return masked(text)

    def found_in(self, text: str) -> int:
        """Number of known secrets in a text: plain, base64 at any offset, or URL-encoded."""
        return sum(any(pattern in text for pattern in _forms(secret)) for secret in self.all())

    def _patterns(self) -> set[str]:
        return {pattern for secret in self.all() for pattern in _forms(secret)}


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(raw, safe=""), quote_plus(raw)}
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        # A cassette is JSON text with bodies that are JSON text themselves.
        forms |= {once, json.dumps(once, ensure_ascii=False)[1:-1]}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii")
        # The first and last letters depend on the bytes before and after the secret.
        core = encoded[(0, 2, 3)[offset] :].rstrip("=")
        core = core[:-1] if (offset + len(raw)) % 3 else core
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= _SHORTEST}


_BEARER = re.compile(r"(?:Bearer|Basic)\s+(\S+)", re.IGNORECASE)


def secret_of_header(authorization: str) -> str:
    """The secret part of an Authorization header; empty if there is none."""
    found = _BEARER.fullmatch(authorization.strip())
    return found[1] if found else ""
