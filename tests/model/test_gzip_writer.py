"""Compressing in several threads: what comes out is gzip as anybody writes it."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import threading
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from pytest_wml.model.gzip_writer import BLOCK, GzipWriter
from pytest_wml.model.packing import pack


def weights(size: int) -> bytes:
    return np.random.default_rng(0).normal(size=size // 4 + 1).astype(np.float32).tobytes()[:size]


def compressed(content: bytes, threads: int, piece: int = 1 << 20) -> bytes:
    stream = io.BytesIO()
    with GzipWriter(stream, 6, threads) as writer:
        for start in range(0, len(content), piece):
            assert writer.write(content[start : start + piece]) == len(content[start : start + piece])
        assert writer.tell() == len(content)
    return stream.getvalue()


def threads_at_work() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pytest-wml-gzip")]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_what_was_written_is_one_member(size: int) -> None:
    """Wherever the content ends, one member holds all of it, and nothing follows."""
    content = weights(size)
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)  # stops after a member, and checks its sum and size
    assert reader.decompress(compressed(content, 2)) == content
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_threads_and_pieces_leave_no_mark() -> None:
    """The same bytes, whatever the number of threads and the pieces that the content came in."""
    content = weights(5 * BLOCK + 17) + bytes(BLOCK)
    one = compressed(content, 1)
    assert compressed(content, 2) == one
    assert compressed(content, 7) == one
    assert compressed(content, 3, piece=BLOCK + 1) == one


def test_blocks_cost_no_size() -> None:
    """What repeats from one block to the next is found: the size is that of a single pass."""
    content = (weights(20_000) * 200)[: 4 * BLOCK]
    assert len(compressed(content, 2)) <= 1.005 * len(gzip.compress(content, 6))


def test_memory_stays_flat() -> None:
    """Five times as much content needs no more memory."""

    class Nowhere(io.RawIOBase):
        def write(self, data: object, /) -> int:
            return len(data)  # type: ignore[arg-type]

    def peak(blocks: int) -> int:
        piece = weights(BLOCK)
        tracemalloc.start()
        try:
            with GzipWriter(Nowhere(), 1, 2) as writer:  # type: ignore[arg-type]
                for _ in range(blocks):
                    writer.write(piece)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(30) <= 1.5 * peak(6)


def test_a_full_disk_ends_the_threads() -> None:
    """An error while writing is the caller's, and no thread is left behind."""

    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            if self.tell():
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="No space left"), GzipWriter(Full(), 6, 2) as writer:
        writer.write(weights(8 * BLOCK))
    assert threads_at_work() == []


def test_an_error_leaves_the_stream_without_an_end() -> None:
    """What was given up cannot be taken for whole."""

    def interrupted() -> None:
        with GzipWriter(stream, 6, 2) as writer:
            writer.write(weights(6 * BLOCK))
            raise KeyboardInterrupt

    stream = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert threads_at_work() == []
    with pytest.raises(EOFError):
        gzip.decompress(stream.getvalue())


@pytest.mark.skipif(not shutil.which("tar") or not shutil.which("gzip"), reason="there is no tar and gzip to ask")
def test_tar_unpacks_a_model_of_several_blocks(tmp_path: Path) -> None:
    """What is larger than a block is read by tar as by Python, without a word of complaint."""
    content = weights(3 * BLOCK)
    (tmp_path / "model.h5").write_bytes(content)
    archive = pack(tmp_path / "model.h5", tmp_path / "packed" / "model.tar.gz")
    done = subprocess.run(
        ["tar", "-xzf", "model.tar.gz"], cwd=tmp_path / "packed", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "packed" / "model.h5").read_bytes() == content
    assert archive.members == ("model.h5",)
