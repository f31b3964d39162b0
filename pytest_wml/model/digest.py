"""Two digests of a model: ``archive`` (its files) and ``model`` (what it computes).

``archive``: SHA-256 over the sorted members' names, sizes and contents. How they are packed, in which order,
with which times and owners, does not count, nor does ``fingerprint.pb``, which TensorFlow fills with random
numbers.

``model``: SHA-256 over the signatures, the graph without the names that TensorFlow makes up (see ``graph``),
the multiset of the checkpoint's tensors (type, shape, content) and the assets. Exporting the same weights
again with the same TensorFlow gives the same digest; another TensorFlow may build another graph and so
another digest. A table counts by its pairs, in whatever order. Left out: the checkpoint's bookkeeping, the
stamp of the TensorFlow version, and variables of one to three integers that no signature reads (step counters
and the states of random generators, which decide no answer).
Where there is no ``saved_model.pb`` to read, the model's digest is the archive's, and the basis says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import mmap
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from pytest_wml.model.bundle import CompressedIndex
from pytest_wml.model.checkpoint import PREFIX, CheckpointTensor, read_tensors
from pytest_wml.model.contents import ArchiveFile, archive_digest, gathered
from pytest_wml.model.graph import FunctionLibrary, GraphScope, combined
from pytest_wml.model.kinds import GRAPH, KERAS_FILES, TEXT_GRAPH
from pytest_wml.model.members import Limits, form_of, members
from pytest_wml.model.restore import restored_nodes
from pytest_wml.model.savedmodel import SavedModel, tensor_name
from pytest_wml.model.signature import Signature, served
from pytest_wml.model.streams import CHUNK
from pytest_wml.model.tables import filled_tables, table_content

Basis = Literal["model", "archive"]
ContentKind = Literal["savedmodel", "keras", "other"]

_KEPT = frozenset({GRAPH, PREFIX})
_HDF5 = b"\x89HDF\r\n\x1a\n"
# Raised when the rules above change: recordings are bound to digests.
_VERSION = "pytest-wml model digest 1"


@dataclass(frozen=True)
class ContentDigests:
    """What identifies a model's files.

    Attributes:
        size: bytes of the upload or file; of all files for a folder.
        archive_digest: of the members' names, sizes and contents; 64 hexadecimal digits.
        model_digest: of what the model computes; 64 hexadecimal digits.
        basis: ``model``, or ``archive`` where ``model_digest`` is only the archive's.
        signature: the one that a deployment answers with; None where it could not be read.
        signatures: all of them, sorted by name.
        members: the files' paths, sorted; empty for a file that is no archive.
        kind: what the files are.
        note: why ``basis`` is ``archive``, for a reader; empty otherwise.
    """

    size: int
    archive_digest: str
    model_digest: str
    basis: Basis
    signature: Signature | None
    signatures: tuple[Signature, ...]
    members: tuple[str, ...]
    kind: ContentKind
    note: str = ""

    @property
    def archive(self) -> str:
        """`archive_digest`, by its earlier name."""
        return self.archive_digest

    @property
    def model(self) -> str:
        """`model_digest`, by its earlier name."""
        return self.model_digest


def digest_content(stream: BinaryIO | bytes, limits: Limits | None = None) -> ContentDigests:
    """Read an uploaded .tar.gz, .tar or .zip, recognised by its content, or any other file.

    Args:
        stream: the bytes, or a stream of them, read from its start where it can be wound back.
        limits: how much an archive may hold.

    Large members pass through a temporary folder, not through memory.

    Raises:
        BadArchive: the archive is damaged, too large, or holds what must not be unpacked.
    """
    if isinstance(stream, bytes):
        stream = io.BytesIO(stream)
    if stream.seekable():
        return _digest_stream(stream, limits)
    with tempfile.TemporaryFile(prefix="pytest-wml-") as copy:
        while piece := stream.read(CHUNK):
            copy.write(piece)
        return _digest_stream(copy, limits)


def digest_folder(folder: Path, limits: Limits | None = None) -> ContentDigests:
    """Read a folder as if it had been packed, without copying its files.

    Raises:
        BadArchive: it is too large, or holds what must not be packed.
    """
    files = dict(gathered(members(folder, limits), frozenset(), folder))
    return _digests(files, sum(file.size for file in files.values()))


def _digest_stream(stream: BinaryIO, limits: Limits | None) -> ContentDigests:
    if form_of(stream) is None:
        return _single_file(stream, (limits or Limits()).total)
    # On Windows a file that is still mapped, because an error holds on to it, cannot be deleted.
    with tempfile.TemporaryDirectory(prefix="pytest-wml-", ignore_cleanup_errors=True) as folder:
        files = dict(gathered(members(stream, limits), _KEPT, Path(folder)))
        return _digests(files, stream.seek(0, io.SEEK_END))


def _single_file(stream: BinaryIO, largest: int) -> ContentDigests:
    # IBM's client compresses a Python function alone, and writes the time of it into the header.
    content = _unpacked(stream, largest) or _read_to_the_end(stream)
    archive = archive_digest({"": ArchiveFile(content.size, content.digest)})
    kind: ContentKind = "keras" if content.start == _HDF5 else "other"
    size = stream.seek(0, io.SEEK_END)
    return ContentDigests(size, archive, archive, "archive", None, (), (), kind, "the file is no archive")


class _Whole(NamedTuple):
    size: int
    digest: str
    start: bytes


def _unpacked(stream: BinaryIO, largest: int) -> _Whole | None:
    """What a gzip file holds; None for what is none, is damaged or unpacks to more than is allowed."""
    stream.seek(0)
    if stream.read(2) != b"\x1f\x8b":
        return None
    stream.seek(0)
    try:
        return _read_to_the_end(gzip.GzipFile(fileobj=stream, mode="rb"), largest)
    except (OSError, EOFError, zlib.error):
        return None


def _read_to_the_end(stream: BinaryIO | gzip.GzipFile, largest: int | None = None) -> _Whole:
    stream.seek(0)
    digest, size, start = hashlib.sha256(), 0, b""
    while piece := stream.read(CHUNK):
        start = start or piece[: len(_HDF5)]
        digest.update(piece)
        size += len(piece)
        if largest is not None and size > largest:
            raise OSError("it unpacks to more than is allowed")
    return _Whole(size, digest.hexdigest(), start)


def _digests(files: dict[str, ArchiveFile], size: int) -> ContentDigests:
    archive, names, kind = archive_digest(files), tuple(sorted(files)), _kind(files)
    if GRAPH not in files:
        note = f"only {GRAPH} is read, not {TEXT_GRAPH}" if TEXT_GRAPH in files else f"there is no {GRAPH}"
        return ContentDigests(size, archive, archive, "archive", None, (), names, kind, note)
    with mapped(files[GRAPH]) as graph:
        model = SavedModel(graph)
        signatures = model.signatures
        basis: Basis = "model"
        try:
            digest, note = _model_digest(model, files), ""
        except CompressedIndex as error:
            digest, note, basis = archive, error.problem, "archive"
    return ContentDigests(size, archive, digest, basis, served(signatures), signatures, names, kind, note)


def _kind(files: Mapping[str, ArchiveFile]) -> ContentKind:
    if GRAPH in files or TEXT_GRAPH in files:
        return "savedmodel"
    in_root = [name for name in files if "/" not in name]
    # A .keras file is a zip of these two.
    unpacked = {"config.json", "model.weights.h5"} <= set(in_root)
    return "keras" if unpacked or any(name.lower().endswith(KERAS_FILES) for name in in_root) else "other"


@contextmanager
def mapped(file: ArchiveFile) -> Iterator[memoryview]:
    """Give a file's bytes without reading them into memory; none for a file that lies nowhere."""
    if not file.size or file.path is None:
        yield memoryview(b"")
        return
    with file.path.open("rb") as stream:
        mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            yield memoryview(mapping)
        finally:
            # Slices that live on, in a traceback for one, keep it open; it closes with the last of them.
            with suppress(BufferError):
                mapping.close()


def _model_digest(model: SavedModel, files: Mapping[str, ArchiveFile]) -> str:
    tensors, nodes, functions = read_tensors(files), model.nodes(), FunctionLibrary(model.functions())
    restored = restored_nodes(model, nodes)
    loaded = {name: place for name, place in restored.variables.items() if place[0] in tensors}
    known = {name: combined("variable", tensors[key].digest, part) for name, (key, part) in loaded.items()}
    known |= dict(_assets(model, files))
    known |= _inputs(model)
    keys = {name: [key for key, _ in places if key in tensors] for name, places in restored.others.items()}
    filled = {name: _filling([tensors[key] for key in found]) for name, found in keys.items() if found}
    known |= filled_tables(nodes, known, filled, model.initializers(), functions)
    scope = GraphScope(nodes, known, functions)
    outputs = [
        combined(name, key, scope.digest(tensor)) for name, side, key, tensor in model.endpoints() if side == "outputs"
    ]
    read = {loaded[name][0] for name in scope.used & loaded.keys()}
    # A table's keys and values have an order of their own.
    apart = {key for name in filled for key in keys[name]}
    contents = sorted(
        [tensor.digest for key, tensor in tensors.items() if key not in apart and (key in read or tensor.counts_unread)]
        + list(filled.values())
    )
    signatures = json.dumps([signature.as_json() for signature in model.signatures])
    assets = [f"{name} {file.digest}" for name, file in sorted(files.items()) if name.startswith("assets/")]
    return combined(_VERSION, signatures, combined(*outputs), combined(*contents), *assets).hex()


def _filling(tensors: list[CheckpointTensor]) -> bytes:
    if len(tensors) == 2:
        return table_content(*tensors)
    return combined("tensors", *(tensor.digest for tensor in tensors))


def _inputs(model: SavedModel) -> dict[str, bytes]:
    uses: dict[str, list[str]] = {}
    for name, side, key, tensor in model.endpoints():
        if side == "inputs":
            uses.setdefault(tensor_name(tensor), []).extend((name, key))
    return {tensor: combined("input", *names) for tensor, names in uses.items()}


def _assets(model: SavedModel, files: Mapping[str, ArchiveFile]) -> Iterator[tuple[str, bytes]]:
    for tensor, name in model.assets().items():
        file = files.get(f"assets/{name}")
        yield tensor_name(tensor), combined("asset", name, file.digest if file else "")
