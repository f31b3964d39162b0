"""A model as a .tar.gz that WML takes, the same bytes for the same content."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from pytest_wml.model.archive import ModelArchive, described, missing_graph, read_archive
from pytest_wml.model.digest import digest_folder
from pytest_wml.model.gzip_writer import GzipWriter
from pytest_wml.model.kinds import ONNX_FILES
from pytest_wml.model.members import members
from pytest_wml.model.onnx_weights import files_beside
from pytest_wml.model.recognition import recognise
from pytest_wml.model.streams import CHUNK

# gzip's own default, so that the archive is as large as tar czf makes it.
_LEVEL = 6


def pack(model: Path | str, destination: Path | str, *, unknown: bool = False) -> ModelArchive:
    """Pack a model's folder, its files at the archive's root, or the one file that a model is.

    Members are sorted; times, owners and modes are fixed. The bytes depend on the content and on zlib's
    version only, not on how many processors compress them. The archive appears whole or not at all.

    Args:
        model: a folder with a model at its root, or a file (``.h5``, ``.keras``, ``.pkl``, …).
        destination: the .tar.gz; its folder is made if need be.
        unknown: whether a folder is packed in which no model is recognised.

    Raises:
        BadArchive: no model is recognised in the folder, or the folder holds what cannot be packed.
    """
    model, destination = Path(model), Path(destination)
    if model.is_file():
        beside = files_beside(model) if model.name.lower().endswith(ONNX_FILES) else {}
        _write_whole([(model.name, model), *beside.items()], destination)
        return read_archive(destination)
    if not model.is_dir():
        raise missing_graph(model, ())
    if not unknown:
        recognise(model)
    _write_whole([(member.name, member.path) for member in members(model) if member.path], destination)
    # The folder's digests are the archive's, and reading it spares unpacking what was just packed.
    return replace(described(destination, digest_folder(model)), size=destination.stat().st_size)


def _write_whole(found: list[tuple[str, Path]], destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{destination.name}-", dir=destination.parent)
    try:
        with open(number, "wb") as stream:
            _write(found, stream)
        Path(name).chmod(0o644)
        os.replace(name, destination)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write(found: list[tuple[str, Path]], stream: io.BufferedWriter) -> None:
    with (
        GzipWriter(stream, _LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        # The default copies in pieces of 16 KiB, which costs more than the rest of tarfile's work.
        archive.copybufsize = CHUNK  # type: ignore[attr-defined]
        for name, path in sorted(found):
            info = tarfile.TarInfo(name)
            info.size = path.stat().st_size
            info.mode = 0o644
            with path.open("rb") as content:
                archive.addfile(info, content)
