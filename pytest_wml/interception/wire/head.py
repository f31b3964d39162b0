"""The head of a request, read strictly: what two readers could take in two ways is refused (RFC 9112)."""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST_FIELDS = 100
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~\x80-\xff]+) HTTP/(\d)\.(\d)")
_NAME = re.compile(_TOKEN)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}")


class Refused(Exception):
    """What came is no request that can be answered; the connection ends with it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Head(NamedTuple):
    """A request without its body."""

    method: str
    host: str
    """As the target or else the field `Host` says it; empty where neither does, which HTTP/1.0 may."""
    target: str
    """Path and query, as they came."""
    version: str
    """`HTTP/1.0` or `HTTP/1.1`."""
    fields: dict[str, str]
    """By their names in lower case; what came several times is joined with commas."""
    length: int | None
    """Bytes of the body; None where it comes in chunks."""

    @property
    def keeps_alive(self) -> bool:
        """Whether the client will ask again on this connection."""
        options = {option.strip() for option in self.fields.get("connection", "").lower().split(",")}
        return self.version == "HTTP/1.1" and "close" not in options


def parsed(block: bytes) -> Head:
    """The head of a request, without the blank line at its end.

    Raises:
        Refused: it is malformed, or means two things at once.
    """
    first, *rest = (line.removesuffix(b"\r") for line in block.split(b"\n"))
    match = _LINE.fullmatch(first)
    if match is None:
        raise Refused(400, "The first line is no request.")
    if match[3] != b"1":
        raise Refused(505, "Only HTTP/1.1 is spoken here.")
    version = "HTTP/1.0" if match[4] == b"0" else "HTTP/1.1"
    fields = _fields(rest)
    named, target = _target(match[1], match[2].decode("latin-1"))
    if version == "HTTP/1.1" and "host" not in fields:
        raise Refused(400, "The request has no Host.")
    host = named or fields.get("host", "")
    return Head(match[1].decode(), host, target, version, fields, _length(fields, version))


def _fields(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > _MOST_FIELDS:
        raise Refused(431, f"The request has more than {_MOST_FIELDS} header fields.")
    fields: dict[str, str] = {}
    for line in lines:
        raw, colon, content = line.partition(b":")
        if not colon or not _NAME.fullmatch(raw) or _CONTROL.search(content):
            raise Refused(400, "A header field is malformed.")
        name, value = raw.decode().lower(), content.strip(b" \t").decode("latin-1")
        if name not in fields:
            fields[name] = value
        elif name in ("host", "content-length", "transfer-encoding"):
            raise Refused(400, f"The request has {name.title()} twice.")
        else:
            fields[name] = f"{fields[name]},{value}"
    return fields


def _target(method: bytes, target: str) -> tuple[str, str]:
    """The host that the target names, if any, and its path and query."""
    if target.startswith("/"):  # IBM's clients join relative links to their host with a slash too many
        return "", "/" + target.lstrip("/")
    if match := _ABSOLUTE.match(target):
        return match[1], target[match.end() :] or "/"
    if target == "*" and method == b"OPTIONS":
        return "", target
    raise Refused(400, "The target of the request is no path.")


def _length(fields: dict[str, str], version: str) -> int | None:
    coding, length = fields.get("transfer-encoding"), fields.get("content-length")
    if coding is not None:
        if length is not None:
            raise Refused(400, "The request has both Content-Length and Transfer-Encoding.")
        if version == "HTTP/1.0":
            raise Refused(400, "HTTP/1.0 knows no Transfer-Encoding.")
        if coding.lower() != "chunked":
            raise Refused(501, "The only Transfer-Encoding that is read here is chunked.")
        return None
    if length is not None and not _LENGTH.fullmatch(length):
        raise Refused(400, "Content-Length is no number of bytes.")
    return int(length or 0)
