"""Recognises secrets by the names of JSON members, variables and parameters."""

from __future__ import annotations

import enum
import functools
import itertools
import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SECRET_WORDS = frozenset(
    {
        "authorization", "cookie", "cookies", "creds", "credential", "credentials", "passcode", "passphrase", "passwd",
        "password", "passwords", "pw", "pwd", "secret", "secrets", "token", "tokens",
    }
)  # fmt: skip
_KEY_KINDS = frozenset(
    {
        "access", "account", "admin", "api", "apikey", "auth", "client", "encryption", "hmac", "master", "private",
        "secret", "service", "shared", "signing", "storage", "ssh",
    }
)  # fmt: skip
"""`key` after one of these words names a secret; `key` alone may belong to a column, a resource or a row."""
_GLUED = re.compile(
    r"password|passwd|passphrase|apikey|accesskey|privatekey|secretkey|connectionstring|connstr"
    r"|(?:secret|token|credentials?|pwd)$"
)
"""Words that are recognised in names without separators, such as `dbpassword`."""
_SUSPICIOUS_WORDS = frozenset(
    {
        "auth", "cert", "certificate", "dsn", "hmac", "key", "keys", "otp", "pass", "pin", "salt", "session",
        "sig", "signature",
    }
)  # fmt: skip
_ABOUT_A_SECRET = frozenset(
    {
        "budget", "count", "counts", "endpoint", "expiration", "expires", "expiry", "field", "file", "host", "ids",
        "length", "limit", "limits", "path", "policy", "quota", "size", "type", "uri", "url", "usage",
    }
)  # fmt: skip
"""A name that ends in one of these describes a fact about a secret: `token_count`, `token_url`."""


class Secrecy(enum.IntEnum):
    """Whether a name marks its value as a secret."""

    NONE = 0
    SUSPICIOUS = 1
    """The value is a secret if it looks random."""
    SECRET = 2


@functools.lru_cache(maxsize=4096)
def secrecy(name: str) -> Secrecy:
    """Classify a name.

    A name is split into words at separators and at capitals: `AWS_SECRET_ACCESS_KEY`, `iam-token`, `dbPassword`,
    `Connection String`.
    """
    words = _words(name)
    named = _names_a_secret(words) or any(_GLUED.search(word) for word in words)
    if named and words[-1] not in _ABOUT_A_SECRET:
        return Secrecy.SECRET
    if named or not _SUSPICIOUS_WORDS.isdisjoint(words):
        return Secrecy.SUSPICIOUS
    return Secrecy.NONE


def holds_a_number(name: str) -> bool:
    """Whether a number with this name is a secret: a `password` may be a number, but `tokens` is a count."""
    return secrecy(name) is Secrecy.SECRET and _words(name)[-1] not in ("token", "tokens")


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _names_a_secret(words: list[str]) -> bool:
    if not _SECRET_WORDS.isdisjoint(words) or words[-1:] == ["pass"]:
        return True
    return any(
        (second in ("key", "keys") and first in _KEY_KINDS) or (first == "connection" and second in ("string", "str"))
        for first, second in itertools.pairwise(words)
    )
