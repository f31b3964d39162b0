"""Detects a truncated or damaged pickle from its bytes, without running it."""

from __future__ import annotations

import lzma
import mmap
import pickletools
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from pytest_wml.model.pickles import JOBLIB, LZ4, unpacker

_STOP = b"."
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
        if start.startswith(LZ4):
            return ""
        if packed := unpacker(start):
            stream.seek(0)
            return _unpacking_damage(stream, packed)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if len(content) > _LONGEST_READ or content.find(JOBLIB) >= 0:
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
