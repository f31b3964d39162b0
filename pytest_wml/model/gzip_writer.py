"""One gzip stream, compressed by several threads at once, the same bytes however many there are.

The content is cut into blocks of one size. Each is deflated for itself, with the 32 KiB before it as its
dictionary and an end on a whole byte, so that put together they are one member as any gzip reads it
(RFC 1951, 1952; pigz does the same).
"""

from __future__ import annotations

import io
import os
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Smaller ones cost size, larger ones memory.
BLOCK = 1 << 19
_WINDOW = 1 << 15
# Deflated, no flags, no time, neither level nor system named.
_HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"


class GzipWriter(io.RawIOBase):
    """Takes bytes and writes them compressed, to be used with ``with``.

    At most two blocks a thread are in memory at once. Where the ``with`` is left by an error, no thread works on
    and the stream stays without an end.

    Args:
        target: takes the compressed bytes; stays open.
        level: zlib's, 0 to 9.
        threads: how many compress; as many as this process has processors if not given.
    """

    def __init__(self, target: BinaryIO, level: int, threads: int | None = None) -> None:
        super().__init__()
        threads = threads or _processors()
        self._target, self._level, self._most = target, level, 2 * threads
        self._pool = ThreadPoolExecutor(threads, "pytest-wml-gzip")
        self._deflated: deque[Future[bytes]] = deque()
        self._pending = bytearray()
        self._window = b""
        self._size = self._checksum = 0

    def __enter__(self) -> GzipWriter:
        self._target.write(_HEADER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def tell(self) -> int:
        """How many bytes it took; tarfile asks."""
        return self._size + len(self._pending)

    def write(self, data: ReadableBuffer, /) -> int:
        """Take bytes, and wait where the threads are behind."""
        taken = len(self._pending)
        self._pending += data
        taken = len(self._pending) - taken
        # What may be the last block waits: it ends in another way.
        while len(self._pending) > BLOCK:
            block = bytes(self._pending[:BLOCK])
            del self._pending[:BLOCK]
            self._hand_over(block, zlib.Z_SYNC_FLUSH)
        return taken

    def _hand_over(self, block: bytes, end: int) -> None:
        self._size += len(block)
        self._checksum = zlib.crc32(block, self._checksum)
        self._deflated.append(self._pool.submit(_deflated, block, self._window, self._level, end))
        self._window = block[-_WINDOW:]
        if len(self._deflated) >= self._most:
            self._target.write(self._deflated.popleft().result())

    def _finish(self) -> None:
        self._hand_over(bytes(self._pending), zlib.Z_FINISH)
        while self._deflated:
            self._target.write(self._deflated.popleft().result())
        self._target.write(self._checksum.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))


def _deflated(block: bytes, window: bytes, level: int, end: int) -> bytes:
    # Negative: no header and no checksum of its own.
    deflate = zlib.compressobj(level, wbits=-zlib.MAX_WBITS, zdict=window)
    return deflate.compress(block) + deflate.flush(end)


def _processors() -> int:
    # Not everywhere is there a way to ask which of the machine's this process may use.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
