"""What a client sends: requests off a socket, read by h11 within limits; what two readers could take in two ways is
refused (RFC 9112)."""

from __future__ import annotations

import io
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

import h11

_BLOCK = 1 << 16
_LONGEST_HEAD = 1 << 16
_MOST_FIELDS = 100
_FOLDED_OR_CONTROL = re.compile(rb"\n[ \t]|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENGTHS = re.compile(rb"^content-length:(.*)$", re.IGNORECASE | re.MULTILINE)


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


class Refused(Exception):
    """The request is malformed, too large or too slow; the connection ends with it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Incoming:
    """The requests of one connection, in the order in which they came.

    Attributes:
        http: h11's side of the present request, a new one for each.
    """

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        self._begun_before = False

    def request(self) -> h11.Request | None:
        """The next request's head; None where the connection ends, or is silent for too long, before it.

        Raises:
            Refused: it is malformed, too long, takes too long, or ends in the middle.
            OSError: the connection broke.
        """
        held = b""
        if self._begun_before:
            # Some clients end a body with a line of their own, which h11 takes for a request.
            held = bytes(self.http.trailing_data[0]).lstrip(b"\r\n")
            self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
            if held:
                self.http.receive_data(held)
        self._begun_before = True
        deadline = None
        while (event := self._event()) is h11.NEED_DATA:
            if held and deadline is None and self._limits.head is not None:
                deadline = time.monotonic() + self._limits.head
            block = self._waited(deadline) if held else self._begun()
            if block is None:
                return None
            held += block
            if len(held) > _LONGEST_HEAD and not _ended(held):
                raise _too_long()
            self.http.receive_data(block)
        if not isinstance(event, h11.Request):  # the end of the connection
            return None
        _check(event, held[: len(held) - len(self.http.trailing_data[0])])
        return event

    def part(self) -> bytes:
        """The next piece of the body; none at its end.

        Raises:
            Refused: it is malformed, or ends in the middle.
            OSError: the connection broke, or the client takes too long.
        """
        while (event := self._event()) is h11.NEED_DATA:
            self.http.receive_data(self._received(self._limits.body))
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    def _event(self) -> Any:
        try:
            return self.http.next_event()
        except h11.RemoteProtocolError as error:
            # Without the bytes that h11 quotes: a line may be long, or a token.
            reason = str(error).partition(": bytearray(")[0]
            raise Refused(error.error_status_hint, f"The request is malformed: {reason}.") from None

    def _begun(self) -> bytes | None:
        """The first bytes of a request, without blank lines before them; empty at the end of the connection."""
        while True:
            try:
                block = self._received(self._limits.idle)
            except TimeoutError:
                return None
            if not block or block.strip(b"\r\n"):
                return block.lstrip(b"\r\n")

    def _waited(self, deadline: float | None) -> bytes:
        try:
            return self._received(None if deadline is None else max(deadline - time.monotonic(), 0.001))
        except TimeoutError:
            raise Refused(408, "The head of the request takes too long.") from None

    def _received(self, seconds: float | None) -> bytes:
        if seconds is not None:
            self._sock.settimeout(seconds)
        return self._sock.recv(_BLOCK)


def _check(request: h11.Request, head: bytes) -> None:
    """Refuse what h11 accepts and other readers may take in another way."""
    names = [name.lower() for name, _ in request.headers.raw_items()]
    lengths = _LENGTHS.findall(head)
    if len(head) > _LONGEST_HEAD:
        raise _too_long()
    if len(names) > _MOST_FIELDS:
        raise Refused(431, f"The request has more than {_MOST_FIELDS} header fields.")
    if request.http_version not in (b"1.0", b"1.1"):
        raise Refused(505, "Only HTTP/1.1 is spoken here.")
    if _FOLDED_OR_CONTROL.search(head):
        raise Refused(400, "A header field is malformed: it has a second line or a control character.")
    if len(lengths) > 1 or (lengths and b"," in lengths[0]):
        raise Refused(400, "The request has Content-Length twice.")
    if b"transfer-encoding" in names and (lengths or request.http_version == b"1.0"):
        raise Refused(400, "The request has Transfer-Encoding beside Content-Length, or in HTTP/1.0.")


def _ended(head: bytes) -> bool:
    return b"\n\r\n" in head or b"\n\n" in head


def _too_long() -> Refused:
    return Refused(431, f"The head of the request is longer than {_LONGEST_HEAD} bytes.")


class BrokenBody(OSError):
    """A body that ends too early, comes too slowly, or is malformed: no app takes it for a whole one."""


class Body(io.RawIOBase):
    """A request body; never reads into the next request.

    Attributes:
        problem: why the rest of it cannot be read, as soon as that is known.
    """

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._held = memoryview(b"")
        self._ended = False
        self.problem: Refused | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not (self._held or self._ended or self.problem):
            self._next()
        if self.problem is not None:
            raise BrokenBody(str(self.problem))
        block = self._held[: len(buffer)]
        self._held = self._held[len(block) :]
        buffer[: len(block)] = block
        return len(block)

    def _next(self) -> None:
        try:
            self._held = memoryview(self._incoming.part())
            self._ended = not self._held
        except TimeoutError:
            self.problem = Refused(408, "The body of the request takes too long.")
        except OSError:
            self.problem = Refused(400, "The connection broke inside the body.")
        except Refused as refusal:
            self.problem = refusal
