"""Secrets in text that is no JSON value: logs, errors, reports, forms, the lines of a file."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Iterator

from pytest_wml.redaction.names import Secrecy, secrecy
from pytest_wml.redaction.shapes import Span, looks_random, secret_shapes
from pytest_wml.wml.tokens import minted

SHORTEST = 3
"""A mask has at least so many stars, so that it is recognised as one."""

# "name": "value" and 'name': 'value', also in JSON text inside JSON text, where quotes are escaped.
_QUOTED = re.compile(
    r"(?P<quote>\\*[\"'])(?P<name>[\w .-]{2,64})(?P=quote)\s*[:=]\s*"
    r"\\*(?P<end>[\"'])(?P<value>(?:[^\"'\\\n]|\\+[^\"'\\\n])+)"
)
# name='value' in code and in reprs.
_ASSIGNED = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63})\s*=\s*\\*[\"'](?P<value>(?:[^\"'\\\n]|\\+[^\"'\\\n])+)"
)
# name=value in a form, a query, a connection string, the output of env.
_PLAIN = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63})=(?P<value>[^\s&;,\"'\\<>(){}\[\]]+)")
# name: value in YAML and in logs; prose has colons too, so the value must not be a word.
_LINE = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63}): +(?P<value>(?=\S*\d)(?![\w-]+=[^=\s])[^\s,;\"'\\<>(){}\[\]]{8,})"
)
_COOKIE = re.compile(r"[Ss]et-[Cc]ookie[\"']?:\s*(?:\[|\n\s*-)?\s*[\"']?[\w-]+=(?P<value>[^;\s\"']{6,})")
_PAIRS = (_QUOTED, _ASSIGNED, _PLAIN, _LINE)

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SHORTEST_STRING = 10
"""No secret is known by its shape in fewer characters: `"x://a:b@c"`."""

_HARMLESS = re.compile(
    r"\*+|<.*>?|\$(?:\{?\w*\}?)?|\{\{.*|…|\.\.\.|none|null|true|false|redacted|not[_ ](?:supported|applicable|given)",
    re.IGNORECASE,
)
# IBM's clients send bx:bx to IAM, which everybody knows; the minted token is signed by nobody.
_KNOWN_TO_ALL = frozenset({base64.b64encode(b"bx:bx").decode(), minted()})


def secrets_of(text: str) -> Iterator[Span]:
    """Yield the secrets in a text, by name or by shape, in their order, none inside another."""
    return _apart(text, {*_named(text), *secret_shapes(text)})


def masked(text: str) -> str:
    """A text with stars in place of each secret, as many as it has characters.

    `masked(masked(text)) == masked(text)`.
    """
    return _covered(text, secrets_of(text))


def masked_shapes(text: str) -> str:
    """A text with stars in place of each secret that is one by its shape; names in it are not read."""
    return _covered(text, _apart(text, secret_shapes(text)))


def masked_strings(text: str) -> str:
    """The text of a JSON value with stars in place of what is a secret by its shape in any of its strings."""
    return _STRING.sub(lambda found: masked_shapes(found[0]) if len(found[0]) > _SHORTEST_STRING else found[0], text)


def masked_bytes(body: bytes) -> bytes:
    """The bytes of a text without its secrets; bytes that are no UTF-8 text stay as they are."""
    try:
        return masked(body.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return body


def _apart(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= end and not is_harmless(text[span.start : span.end]):
            yield span
            end = span.end


def _covered(text: str, spans: Iterable[Span]) -> str:
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], mask(text[span.start : span.end])]
        end = span.end
    return "".join([*parts, text[end:]]) if parts else text


def mask(secret: str) -> str:
    """Stars for a secret: as many as it has characters, and at least three."""
    return "*" * max(SHORTEST, len(secret))


@functools.lru_cache(maxsize=1024)
def is_harmless(value: str) -> bool:
    """Whether a value that stands in a secret's place is none: masked already, a placeholder, known to everybody."""
    return value in _KNOWN_TO_ALL or bool(_HARMLESS.fullmatch(value.strip())) or _is_dummy(value)


def _named(text: str) -> Iterator[Span]:
    for pattern in _PAIRS:
        for found in pattern.finditer(text):
            if is_secret(found["name"], found["value"]):
                yield Span(found.start("value"), found.end("value"), f"value of {found['name'].strip()}")
    for found in _COOKIE.finditer(text):
        yield Span(found.start("value"), found.end("value"), "cookie")


def is_secret(name: str, value: str) -> bool:
    """Whether the text under a name is a secret."""
    level = secrecy(name)
    if level is Secrecy.SECRET:
        return not is_harmless(value)
    return level is Secrecy.SUSPICIOUS and looks_random(value)


def _is_dummy(value: str) -> bool:
    """Whether a JSON web token is one that a tool put in a real one's place: it names nobody and never ends."""
    parts = value.split(".")
    if len(parts) != 3:
        return False
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "==="))
    except ValueError:
        return False
    return isinstance(payload, dict) and payload.get("sub") == "pytest-wml" and set(payload) == {"sub", "iat", "exp"}
