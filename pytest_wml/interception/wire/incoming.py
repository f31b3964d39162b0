"""What a client sends: heads and bodies off a socket, within limits."""

from __future__ import annotations

import io
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

from pytest_wml.interception.wire.head import Refused

_BLOCK = 1 << 16
_LONGEST_HEAD = 1 << 16
_LONGEST_LINE = 1 << 12
_MOST_TRAILERS = 100
_HEAD_END = re.compile(rb"\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n")


@dataclass(frozen=True)
class Limits:
    """How long a client may take, in seconds; None is as long as it likes."""

    idle: float | None = None
    """Until its next request begins."""
    head: float | None = None
    """From the first byte of a request to the end of its head."""
    body: float | None = None
    """For the next piece of a body; and to take a piece of an answer."""
    unread: int | None = None
    """Bytes of a body that are read although the answer does not depend on them."""


class Incoming:
    """The bytes of one connection, in the order in which they came."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits
        self._held = bytearray()

    def head(self) -> bytes | None:
        """The next request's head; None where the connection ends, or is silent for too long, before it.

        Raises:
            Refused: it is too long, takes too long, or ends in the middle.
            OSError: the connection broke.
        """
        if not self._begun():
            return None
        deadline = None if self._limits.head is None else time.monotonic() + self._limits.head
        seen = 0
        while (match := self._head_end(seen)) is None:
            seen = max(0, len(self._held) - 2)
            if not self._in_time(deadline):
                if self._held:
                    raise Refused(400, "The request ends inside its head.")
                return None
        head = bytes(self._held[: match.start()])
        del self._held[: match.end()]
        return head

    def _begun(self) -> bool:
        try:
            return bool(self._held) or self._more(self._limits.idle)
        except TimeoutError:
            return False

    def _head_end(self, seen: int) -> re.Match[bytes] | None:
        if self._held.startswith((b"\r", b"\n")):  # some clients end a body with a line of their own
            self._held = self._held.lstrip(b"\r\n")
        match = _HEAD_END.search(self._held, seen)
        if (match.start() if match else len(self._held)) > _LONGEST_HEAD:
            raise Refused(431, f"The head of the request is longer than {_LONGEST_HEAD} bytes.")
        return match

    def read(self, most: int) -> bytes:
        """Up to that many bytes, at least one; none at the end of the connection."""
        if not self._held:
            self._more(self._limits.body)
        block = bytes(self._held[:most])
        del self._held[:most]
        return block

    def line(self) -> bytes:
        """The next line with its end; without one where the connection ends, or the line is too long."""
        seen = 0
        while (end := self._held.find(b"\n", seen)) < 0:
            seen = len(self._held)
            if seen > _LONGEST_LINE or not self._more(self._limits.body):
                end = seen
                break
        line = bytes(self._held[: end + 1])
        del self._held[: end + 1]
        return line

    def _in_time(self, deadline: float | None) -> bool:
        try:
            return self._more(None if deadline is None else max(deadline - time.monotonic(), 0.001))
        except TimeoutError:
            raise Refused(408, "The head of the request takes too long.") from None

    def _more(self, seconds: float | None) -> bool:
        if seconds is not None:
            self._sock.settimeout(seconds)
        block = self._sock.recv(_BLOCK)
        self._held += block
        return bool(block)


class BrokenBody(OSError):
    """A body that ends too early, comes too slowly, or is no body: no app takes it for a whole one."""


class Body(io.RawIOBase):
    """A request body of known length, or in chunks; never reads into the next request.

    Args:
        length: in bytes; None where it comes in chunks (RFC 9112, section 7.1).

    Attributes:
        problem: why the rest of it cannot be read, as soon as that is known.
    """

    def __init__(self, incoming: Incoming, length: int | None) -> None:
        self._incoming = incoming
        self._chunked = length is None
        self._left = length or 0
        self._ended = length == 0
        self.problem: Refused | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = b""
        if self.problem is None:
            try:
                block = self._next(len(buffer))
            except TimeoutError:
                self.problem = Refused(408, "The body of the request takes too long.")
            except OSError:
                self.problem = Refused(400, "The connection broke inside the body.")
            except Refused as refusal:
                self.problem = refusal
        if self.problem is not None:
            raise BrokenBody(str(self.problem))
        buffer[: len(block)] = block
        return len(block)

    def _next(self, most: int) -> bytes:
        if self._chunked and not self._left and not self._ended:
            self._begin_chunk()
        if self._ended:
            return b""
        block = self._incoming.read(min(most, self._left))
        if not block:
            raise Refused(400, "The request ends inside its body.")
        self._left -= len(block)
        if not self._left:
            self._ended = not self._chunked
            if self._chunked and self._incoming.line() not in (b"\r\n", b"\n"):
                raise Refused(400, "A chunk of the body is longer than it says.")
        return block

    def _begin_chunk(self) -> None:
        match = _CHUNK_SIZE.fullmatch(self._incoming.line())
        if match is None:
            raise Refused(400, "A chunk of the body has no size.")
        self._left = int(match[1], 16)
        if not self._left:
            self._ended = True
            self._skip_trailers()

    def _skip_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self._incoming.line()
            if line in (b"\r\n", b"\n"):
                return
            if not line.endswith(b"\n"):
                break
        raise Refused(400, "The body does not end after its last chunk.")
