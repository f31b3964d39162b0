"""Messages between the service and a worker: JSON, its length before it.

Nothing but JSON is read from a worker: it runs code that came with a model, and a pickle of its would run in
the test process.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct(">Q")
_LONGEST = 1 << 30


def write_frame(stream: IO[bytes], message: Any) -> None:
    """Write one message and flush.

    Raises:
        OSError: the other side is gone.
        TypeError, ValueError: the message is no JSON.
    """
    body = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Any:
    """The next message.

    Raises:
        EOFError: the other side is gone.
        ValueError: what came is no message.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _LONGEST:
        raise ValueError(f"a message of {length} bytes, more than the {_LONGEST} that are read")
    return json.loads(_exactly(stream, length))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        piece = stream.read(min(size - len(pieces), 1 << 20))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)
