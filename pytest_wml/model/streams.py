"""Streams of archives that anybody may have made, read in small pieces and without surprises."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from pytest_wml.errors import BadArchive

CHUNK = 1 << 20


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a stream's content in pieces of at most 1 MiB."""
    with reading():
        while piece := stream.read(CHUNK):
            yield piece


class Forward(io.RawIOBase):
    """What tarfile reads from: forward only, and never much at once.

    A header may claim to be gigabytes long or to lie before itself; tarfile would read the one into memory
    and follow the other for ever.
    """

    def __init__(self, stream: BinaryIO | gzip.GzipFile) -> None:
        self._stream = stream
        self._position = 0

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= CHUNK:
            raise BadArchive("The archive's headers are damaged.", claimed=f"{size:,} bytes in one piece")
        data = self._stream.read(size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or offset < self._position:
            raise BadArchive("The archive's headers are damaged: one points back.")
        while self._position < offset and self.read(min(CHUNK, offset - self._position)):
            pass
        return self._position


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the standard library raises for a damaged archive into BadArchive."""
    damaged = (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        gzip.BadGzipFile,
        # An encrypted or strangely compressed zip; a number or text in a header that is none.
        RuntimeError,
        ValueError,
        OverflowError,
        AttributeError,
        IndexError,
    )
    try:
        yield
    except damaged as error:
        raise BadArchive(
            "The archive is damaged.",
            cause=str(error) or type(error).__name__,
            fix="pack the model again, or upload the file again if it was cut short on its way",
        ) from error
