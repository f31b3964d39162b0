"""Model archives: what one holds, unpacking it safely.

Nothing here imports TensorFlow, keras or numpy: a replay reads the archive too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pytest_wml.config import similar_names
from pytest_wml.errors import BadArchive
from pytest_wml.model.digest import ContentDigests, digest_content, digest_folder
from pytest_wml.model.kinds import GRAPH, KERAS_FILES, ONNX_FILES, PICKLES, TEXT_GRAPH
from pytest_wml.model.members import Limits, form_of, members

__all__ = [
    "ContentDigests",
    "Limits",
    "ModelArchive",
    "digest_content",
    "read_archive",
    "require_savedmodel",
    "safe_extract",
]

_SHOWN_MEMBERS = 8
_VARIABLES = "variables/"
_SPARK = re.compile(r"(.*)/metadata/part-[^/]*")


@dataclass(frozen=True)
class ModelArchive(ContentDigests):
    """A model that can be stored in WML, and what identifies it.

    Attributes:
        path: the archive, folder or file.
    """

    path: Path = field(kw_only=True)


def read_archive(path: Path | str, limits: Limits | None = None) -> ModelArchive:
    """Read a .tar.gz, .tar or .zip (recognised by its content), a folder, or any other file.

    Raises:
        BadArchive: there is no such file, it is damaged, too large, or holds what must not be unpacked.
    """
    path = Path(path)
    if path.is_dir():
        found = digest_folder(path, limits)
    else:
        with opened(path) as stream:
            found = digest_content(stream, limits)
    return described(path, found)


def described(path: Path, found: ContentDigests) -> ModelArchive:
    """A file's path together with what was found in it."""
    return ModelArchive(**vars(found), path=path)


def require_savedmodel(archive: ModelArchive) -> None:
    """Check that WML would find a SavedModel in an archive.

    Raises:
        BadArchive: it has no ``saved_model.pb`` at its root; the error says what it has and what to do.
    """
    if GRAPH in archive.members or TEXT_GRAPH in archive.members:
        return
    raise missing_graph(archive.path, archive.members)


def missing_graph(path: Path, names: tuple[str, ...]) -> BadArchive:
    """Make the error for files without ``saved_model.pb`` at the root."""
    nested = nested_models(names)
    if nested:
        spark = _SPARK.fullmatch(nested[0])
        inner = spark[1] if spark else nested[0].rpartition("/")[0]
        fix = f"pack the inner folder: tar -C {inner} -czf model.tar.gz ."
    else:
        fix = "export the model with model.export(folder) or tf.saved_model.save and pack that folder"
    shown = ", ".join((nested or list(names))[:_SHOWN_MEMBERS])
    more = f" and {len(names) - _SHOWN_MEMBERS} more" if not nested and len(names) > _SHOWN_MEMBERS else ""
    return BadArchive(f"No {GRAPH} at the root of {path}.", found=(shown + more) or "no files", fix=fix)


def nested_models(names: tuple[str, ...]) -> list[str]:
    """The files that are models, or describe them, and lie in a folder; SavedModels alone where there are any.

    None where the rest of a SavedModel lies at the root: then its graph is missing, and another file is not the model.
    """
    graphs = [name for name in names if name.endswith("/" + GRAPH)]
    if graphs or any(name.startswith(_VARIABLES) for name in names):
        return graphs
    others = (*KERAS_FILES, *PICKLES, *ONNX_FILES)
    return [name for name in names if "/" in name and (name.lower().endswith(others) or _SPARK.fullmatch(name))]


def safe_extract(archive: Path | str | BinaryIO, folder: Path | str, limits: Limits | None = None) -> Path:
    """Unpack a .tar.gz, .tar or .zip, or copy a folder, into a folder that is made if need be.

    Times, owners and modes are not taken over.

    Returns:
        the folder.

    Raises:
        BadArchive: it is no archive, is damaged, too large, or holds what must not be unpacked: links,
            devices,
            absolute paths, ``..``. What came before such a member may lie in the folder by then.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        source: Path | BinaryIO
        if isinstance(archive, (str, Path)):
            source = Path(archive)
            if not source.is_dir():
                source = stack.enter_context(opened(source))
        else:
            source = archive
        if not isinstance(source, Path) and form_of(source) is None:
            raise BadArchive("The file is no .tar.gz, .tar or .zip archive.", file=archive)
        for member in members(source, limits):
            _write(folder / member.name, member.chunks)
    return folder


def opened(path: Path) -> BinaryIO:
    """Open a model's file.

    Raises:
        BadArchive: there is no such file, or it cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise BadArchive(
            "The model archive cannot be opened.",
            file=path,
            cause=error.strerror,
            there_is=similar_names.files(path),
            fix="check the path; a relative one counts from the folder that pytest was started in",
        ) from error


def _write(target: Path, chunks: Iterator[bytes]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise BadArchive("A member of the archive cannot be unpacked.", member=target, cause=error.strerror) from error
    with stream:
        for chunk in chunks:
            stream.write(chunk)
