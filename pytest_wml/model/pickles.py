"""Pickles of pickle's and joblib's: what their first bytes say, without running them."""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

JOBLIB = b"joblib.numpy_pickle"
"""In every pickle with arrays of joblib's, whose numbers stand between the pickle's operations."""
LZ4 = b"\x04\x22\x4d\x18"
"""How a compressed file begins that only a package beside Python's own unpacks."""
# As joblib.load recognises them; zlib's second byte says how hard it tried.
_COMPRESSED: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    *((b"x" + level, zlib.decompressobj) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
    (b"BZ", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", lzma.LZMADecompressor),
    (b"\x5d\x00", lzma.LZMADecompressor),
)
# What pickles name to put the object together, not the object's own class.
_PLUMBING = frozenset({"copyreg", "copy_reg", "builtins", "__builtin__", "_codecs", "collections", "numpy", "joblib"})
_MOST = 1 << 20


def unpacker(start: bytes) -> Any:
    """A decompressor for a pickle that begins with these bytes; None for one that is not compressed."""
    return next((make() for magic, make in _COMPRESSED if start.startswith(magic)), None)


def class_of(start: bytes) -> str:
    """Name the class of the object that a pickle makes, such as `sklearn.pipeline.Pipeline`.

    Args:
        start: the pickle's first bytes, up to a megabyte.

    Returns:
        the class with its module; empty where these bytes name none.

    Raises:
        ValueError: they are not the start of a pickle.
    """
    if start.startswith(LZ4):
        return ""
    whole = len(start) < _MOST
    if packed := unpacker(start):
        try:
            start = packed.decompress(start, _MOST)
        except (OSError, zlib.error, lzma.LZMAError) as problem:
            raise ValueError(f"it cannot be unpacked: {problem}") from problem
        whole = packed.eof
    try:
        for name in _globals(start):
            if name.partition(".")[0] not in _PLUMBING:
                return name
    except (ValueError, OverflowError, UnicodeError):
        if whole and JOBLIB not in start:
            raise
    return ""


def _globals(content: bytes) -> Iterator[str]:
    """Yield the classes and functions that a pickle names, in its order.

    Raises:
        ValueError: the bytes are no pickle, or end before its end.
    """
    texts: deque[str] = deque(maxlen=2)
    memo: dict[int, str] = {}
    remembered, last = 0, ""
    for operation, argument, _ in pickletools.genops(io.BytesIO(content)):
        name = operation.name
        if name == "MEMOIZE" or name.endswith("PUT"):
            # Only texts are looked up again here.
            memo[remembered if name == "MEMOIZE" else int(argument or 0)] = last
            remembered += 1
            continue
        last = ""
        if name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif name == "STACK_GLOBAL":
            yield ".".join(texts)
        elif name.endswith("GET"):
            last = memo.get(int(argument or 0), "")
        elif isinstance(argument, str):
            last = argument
        if last:
            texts.append(last)
