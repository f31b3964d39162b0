"""Whether a pickle is whole, told from its bytes without running it."""

from __future__ import annotations

import bz2
import lzma
import mmap
import pickletools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

_STOP = b"."
# joblib puts the numbers of an array between the pickle's operations: who reads these does not find the way.
_JOBLIB = b"joblib.numpy_pickle"
# As joblib.load tells them; zlib's second byte says how hard it tried.
_COMPRESSED: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    *((b"x" + level, zlib.decompressobj) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
    (b"BZ", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", lzma.LZMADecompressor),
    (b"\x5d\x00", lzma.LZMADecompressor),
)
# What only a package that is not Python's unpacks.
_LZ4 = b"\x04\x22\x4d\x18"
_PIECE = 1 << 20
# Reading operation after operation takes seconds above it; of what is longer, or joblib's, only the end is looked at.
_LONGEST_READ = 8 << 20
# Who packs more than this is not read to the end.
_MOST = 4 << 30


def pickle_damage(path: Path | None) -> str:
    """Why a file is no whole pickle of pickle's or joblib's; empty where nothing is wrong with it."""
    if path is None:
        return ""
    if not path.stat().st_size:
        return "It is empty."
    with path.open("rb") as stream:
        start = stream.read(8)
        if start.startswith(_LZ4):
            return ""
        for magic, make in _COMPRESSED:
            if start.startswith(magic):
                stream.seek(0)
                return _unpacking_damage(stream, make())
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if len(content) > _LONGEST_READ or content.find(_JOBLIB) >= 0:
                return "" if content[-1:] == _STOP else "It ends before its end."
            return _reading_damage(content)


def _reading_damage(content: mmap.mmap) -> str:
    try:
        for _ in pickletools.genops(content):  # type: ignore[arg-type]  # it reads, as a file does
            pass
    except (ValueError, OverflowError, UnicodeError) as problem:
        return f"{problem}".partition("\n")[0][:300]
    return ""


def _unpacking_damage(stream: BinaryIO, unpacker: Any) -> str:
    unpacked = 0
    try:
        while not unpacker.eof and unpacked < _MOST:
            waiting = getattr(unpacker, "unconsumed_tail", b"")
            more = waiting or (stream.read(_PIECE) if getattr(unpacker, "needs_input", True) else b"")
            piece = unpacker.decompress(more, _PIECE)
            unpacked += len(piece)
            if not more and not piece:
                return "What it is compressed with ends before its end."
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as problem:
        return f"It cannot be unpacked: {problem}."
    return ""
