"""What makes two requests the same one: method, role of the host, path, query without `version`, body.

A token is no part of it, but for one that no service would take.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from pytest_wml.redaction.text import SHORTEST, masked, masked_bytes, masked_strings
from pytest_wml.redaction.values import redacted
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.wml.hosts import Role

_NOT_COMPARED = frozenset({"version"})
"""Dates that are baked into each release of IBM's clients."""

_RANDOM_NAME = re.compile(r'"name_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"')
"""The name that IBM's clients make up for a batch job."""

_OURS = frozenset({"wml_model_digest", "wml_model_signature"})
"""Custom properties that a deployment's fixture stores with its model."""

_GUARDED = "/ml/v4/"
"""Below it nothing is answered without a token; elsewhere IBM's clients ask some things without one."""

_STARS = re.compile(r"\*{3,}")

_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


@dataclass(frozen=True)
class Request:
    """A request as far as it decides about the answer.

    Args:
        sent: the body as it came, or as a cassette holds it.
        refusable: what is wrong with its token, see `token_flaw`; empty for nothing.
    """

    method: str
    role: Role
    path: str
    query: tuple[tuple[str, str], ...]
    sent: Body
    refusable: str = ""

    @cached_property
    def body(self) -> str:
        """The body as text that does not depend on whitespace, key order, secrets or who asks."""
        return canonical(self.sent)

    @cached_property
    def identity(self) -> str:
        """A hash of it all."""
        flaw = [self.refusable] if self.refusable else []
        text = json.dumps([self.method, self.role.value, self.path, self.query, self.body, *flaw])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        flaw = f" ({self.refusable})" if self.refusable else ""
        return f"{self.method} {self.path}" + (f"?{query}" if query else "") + flaw


def request(method: str, role: Role, path: str, query: str, body: Body, refusable: str = "") -> Request:
    """The identity of a request as it came over the wire.

    An uploaded archive counts as `<archive>`, whatever it holds: whether it is the recorded model the
    caller finds by comparing its digests.
    """
    return Request(method, role, re.sub("/{2,}", "/", unquote(path)), _parameters(query), body, refusable)


@functools.lru_cache(maxsize=256)
def _parameters(query: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query that requests are compared by, sorted, secrets masked; most requests have the same."""
    pairs = parse_qsl(masked(query), keep_blank_values=True)
    # IBM's clients repeat parameters on the following pages of a list.
    unique = {name: _same_masks(value) for name, value in pairs if name not in _NOT_COMPARED}
    return tuple(sorted(unique.items()))


def token_flaw(path: str, authorization: str) -> str:
    """What every service would refuse a request's token for, at first sight; empty for nothing.

    A token itself is never kept, and each run has another one. But a test that sends none, or one that is no
    JWT, asks for the refusal, and must not get the answer that was recorded for a good one. A token of another
    scheme than Bearer may be one of a Cloud Pak for Data's own kinds: of that nothing is known.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if not path.startswith(_GUARDED):
        return ""
    if not scheme or (scheme.lower() == "bearer" and not token.strip()):
        return "without a token"
    if scheme.lower() == "bearer" and not _JWT.fullmatch(token.strip()):
        return "with a token that is no JWT"
    return ""


def canonical(body: Body) -> str:
    """A body as text that does not depend on whitespace, key order, secrets or who asks."""
    if isinstance(body, ArchiveContent):
        return "<archive>"
    if not body:
        return ""
    value = parsed(body)
    if value is None:
        return "sha256:" + hashlib.sha256(masked_bytes(body)).hexdigest()
    value = redacted(_without_our_own(value))
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _RANDOM_NAME.sub('"name_*"', _same_masks(masked_strings(text)))


def _same_masks(text: str) -> str:
    """A text whose masks do not tell how long the secrets were: a new password asks for the same."""
    return _STARS.sub("*" * SHORTEST, text)


def _without_our_own(value: Any) -> Any:
    """A stored model's properties without those that we add: which model it is, its archive's digests tell."""
    custom = value.get("custom") if isinstance(value, dict) else None
    if not isinstance(custom, dict) or not any(name in custom for name in _OURS):
        return value
    kept = {name: member for name, member in custom.items() if name not in _OURS}
    rest = {name: member for name, member in value.items() if name != "custom"}
    return {**rest, "custom": kept} if kept else rest


def parsed(body: bytes) -> Any:
    """The JSON value of a body; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
