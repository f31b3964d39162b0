"""What lies in an upload: its files, unpacked where they can be read again, or what is wrong with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pytest_wml.config import similar_names
from pytest_wml.errors import BadArchive
from pytest_wml.model.contents import ArchiveFile, gathered
from pytest_wml.model.lint.findings import CannotLint
from pytest_wml.model.members import Limits, members
from pytest_wml.model.recognition import form_of_model

_EVERYTHING = frozenset({""})


@dataclass(frozen=True)
class Upload:
    """What would be uploaded.

    Attributes:
        path: the archive, folder or file.
        form: `gzip`, `tar`, `zip`, `folder`, or `file` for a model that is one file; empty for none of these.
        size: its bytes; of all files for a folder.
        files: by their path in the archive; those before the damage, where there is any.
        damage: why it cannot be unpacked.
    """

    path: Path
    form: str
    size: int
    files: dict[str, ArchiveFile]
    damage: BadArchive | None = None

    @property
    def unpacked(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    @property
    def root(self) -> list[str]:
        """The names at the archive's root, files and folders, sorted."""
        return sorted({name.partition("/")[0] for name in self.files})

    def at_root(self, suffixes: tuple[str, ...]) -> list[str]:
        """The files at the root that end in one of these, whatever their case."""
        return [name for name in self.root if name in self.files and name.lower().endswith(suffixes)]


@contextmanager
def opened(path: Path | str, limits: Limits | None = None) -> Iterator[Upload]:
    """Read a .tar.gz, .tar or .zip, a SavedModel's folder, or a model that is one file.

    Its files lie in a temporary folder while the block lasts, under numbers instead of names.

    Raises:
        CannotLint: there is no such file, or it cannot be read.
    """
    path = Path(path)
    try:
        with tempfile.TemporaryDirectory(prefix="pytest-wml-", ignore_cleanup_errors=True) as folder:
            if path.is_dir():
                yield _gathered(path, path, Path(folder), "folder", limits)
            else:
                with path.open("rb") as stream:
                    yield _file(path, stream, Path(folder), limits)
    except OSError as error:
        raise CannotLint(
            "The model cannot be read.",
            file=error.filename or path,
            cause=error.strerror or str(error),
            there_is=similar_names.files(path),
            fix="name an archive (.tar.gz, .zip), a model's folder, or a model file (.h5, .keras, .pkl, .onnx, …)",
        ) from error


def _file(path: Path, stream: BinaryIO, folder: Path, limits: Limits | None) -> Upload:
    size = path.stat().st_size
    try:
        form = form_of_model(path.name, stream)
    except BadArchive as damage:
        return Upload(path, "gzip", size, {}, damage)
    if form == "file":
        return Upload(path, "file", size, {path.name: ArchiveFile(size, "", path)})
    if form is None:
        return Upload(path, "", size, {}, BadArchive("The file is no .tar.gz, .tar or .zip archive."))
    return _gathered(path, stream, folder, form, limits)


def _gathered(path: Path, source: Path | BinaryIO, folder: Path, form: str, limits: Limits | None) -> Upload:
    files: dict[str, ArchiveFile] = {}
    damage = None
    try:
        # One by one: what comes before the damage is looked at too.
        for name, file in gathered(members(source, limits), _EVERYTHING, folder):
            files[name] = file
    except BadArchive as problem:
        damage = problem
    size = sum(file.size for file in files.values()) if isinstance(source, Path) else path.stat().st_size
    return Upload(path, form, size, files, damage)
