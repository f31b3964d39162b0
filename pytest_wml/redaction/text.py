"""Finds and masks secrets in text other than JSON: logs, errors, reports, forms, lines of a file."""

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
"""Smallest number of stars in a mask, so that it is recognised as a mask."""

# "name": "value" and 'name': 'value', also in JSON text inside JSON text, where quotes are escaped.
_QUOTED = re.compile(
    r"(?P<quote>\\*[\"'])(?P<name>[\w .-]{2,64})(?P=quote)\s*[:=]\s*"
    r"\\*(?P<end>[\"'])(?P<value>(?:[^\"'\\\n]|\\+[^\"'\\\n])+)"
)
# name='value' in code and in reprs.
_ASSIGNED = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63})\s*=\s*\\*[\"'](?P<value>(?:[^\"'\\\n]|\\+[^\"'\\\n])+)"
)
# name=value in a form, a query, a connection string, or the output of env.
_PLAIN = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63})=(?P<value>[^\s&;,\"'\\<>(){}\[\]]+)")
# name: value in YAML and in logs; the value must not be a word, because prose has colons too.
_LINE = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,63}): +(?P<value>(?=\S*\d)(?![\w-]+=[^=\s])[^\s,;\"'\\<>(){}\[\]]{8,})"
)
_COOKIE = re.compile(r"[Ss]et-[Cc]ookie[\"']?:\s*(?:\[|\n\s*-)?\s*[\"']?[\w-]+=(?P<value>[^;\s\"']{6,})")
_PAIRS = (_QUOTED, _ASSIGNED, _PLAIN, _LINE)

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SHORTEST_STRING = 10
"""The shortest secret that is recognised by its shape: `"x://a:b@c"`."""

_HARMLESS = re.compile(
    r"\*+|<.*>?|\$(?:\{?\w*\}?)?|\{\{.*|…|\.\.\.|none|null|true|false|redacted|not[_ ](?:supported|applicable|given)",
    re.IGNORECASE,
)
# IBM's clients send the public bx:bx to IAM; the minted token has no valid signature.
_PUBLIC = frozenset({base64.b64encode(b"bx:bx").decode(), minted()})


def secrets_of(text: str) -> Iterator[Span]:
    """Yield the secrets in a text by name or shape, in their order and without overlap."""
    return _without_overlap(text, {*_secrets_by_name(text), *secret_shapes(text)})


def masked(text: str) -> str:
    """Replace each secret in a text by stars, one for each character.

    `masked(masked(text)) == masked(text)`.
    """
    return _mask_spans(text, secrets_of(text))


def masked_shapes(text: str) -> str:
    """Replace each secret in a text that is recognised by its shape, regardless of names."""
    return _mask_spans(text, _without_overlap(text, secret_shapes(text)))


def masked_strings(text: str) -> str:
    """Replace each secret in the strings of a JSON text that is recognised by its shape."""
    return _STRING.sub(lambda found: masked_shapes(found[0]) if len(found[0]) > _SHORTEST_STRING else found[0], text)


def masked_bytes(body: bytes) -> bytes:
    """Mask the secrets in the bytes of a text; bytes that are not UTF-8 text are not changed."""
    try:
        return masked(body.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return body


def _without_overlap(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= end and not is_harmless(text[span.start : span.end]):
            yield span
            end = span.end


def _mask_spans(text: str, spans: Iterable[Span]) -> str:
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], mask(text[span.start : span.end])]
        end = span.end
    return "".join([*parts, text[end:]]) if parts else text


def mask(secret: str) -> str:
    """The mask of a secret: one star for each character, at least three."""
    return "*" * max(SHORTEST, len(secret))


@functools.lru_cache(maxsize=1024)
def is_harmless(value: str) -> bool:
    """Whether a value in the place of a secret is not secret: masked already, a placeholder, or public."""
    return value in _PUBLIC or bool(_HARMLESS.fullmatch(value.strip())) or _is_dummy(value)


def _secrets_by_name(text: str) -> Iterator[Span]:
    for pattern in _PAIRS:
        for found in pattern.finditer(text):
            if is_secret(found["name"], found["value"]):
                yield Span(found.start("value"), found.end("value"), f"value of {found['name'].strip()}")
    for found in _COOKIE.finditer(text):
        yield Span(found.start("value"), found.end("value"), "cookie")


def is_secret(name: str, value: str) -> bool:
    """Whether the text with a name is a secret."""
    level = secrecy(name)
    if level is Secrecy.SECRET:
        return not is_harmless(value)
    return level is Secrecy.SUSPICIOUS and looks_random(value)


def _is_dummy(value: str) -> bool:
    """Whether a JSON web token is the dummy that this package writes in place of a real token."""
    parts = value.split(".")
    if len(parts) != 3:
        return False
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "==="))
    except ValueError:
        return False
    return isinstance(payload, dict) and payload.get("sub") == "pytest-wml" and set(payload) == {"sub", "iat", "exp"}
