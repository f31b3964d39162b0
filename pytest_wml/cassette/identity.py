"""What makes two requests the same one: method, role of the host, path, query without `version`, body."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from pytest_wml.cassette.scrub import scrub
from pytest_wml.cassette.tape import Body, Content
from pytest_wml.hosts import Role

_NOT_COMPARED = frozenset({"version"})
"""Dates that are baked into each release of IBM's clients."""

_RANDOM_NAME = re.compile(r'"name_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"')
"""The name that IBM's clients make up for a batch job."""


@dataclass(frozen=True)
class Request:
    """A request as far as it decides about the answer.

    Args:
        sent: the body as it came, or as a cassette holds it.
    """

    method: str
    role: Role
    path: str
    query: tuple[tuple[str, str], ...]
    sent: Body

    @cached_property
    def body(self) -> str:
        """The body as text that does not depend on whitespace, key order, secrets or who asks."""
        return canonical(self.sent)

    @cached_property
    def identity(self) -> str:
        """A hash of it all."""
        text = json.dumps([self.method, self.role.value, self.path, self.query, self.body])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")


def request(method: str, role: Role, path: str, query: str, body: Body) -> Request:
    """The identity of a request as it came over the wire.

    An uploaded archive counts as `<archive>`, whatever it holds: whether it is the recorded model is told
    by its digests, which the caller compares.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    # IBM's clients repeat parameters on the following pages of a list.
    unique = {name: value for name, value in pairs if name not in _NOT_COMPARED}
    return Request(method, role, re.sub("/{2,}", "/", unquote(path)), tuple(sorted(unique.items())), body)


def canonical(body: Body) -> str:
    """A body as text that does not depend on whitespace, key order, secrets or who asks."""
    if isinstance(body, Content):
        return "<archive>"
    if not body:
        return ""
    value = parsed(body)
    if value is None:
        return "sha256:" + hashlib.sha256(body).hexdigest()
    text = json.dumps(scrub(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _RANDOM_NAME.sub('"name_*"', text)


def parsed(body: bytes) -> Any:
    """The JSON value of a body; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
