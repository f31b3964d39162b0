"""The files of an archive or folder, one after the other, and nothing that could do harm.

A .tar.gz, .tar or .zip is recognised by its content, not by its name. Whatever leads out of the archive (links,
devices, absolute paths, ``..``), holds one name twice, or is larger than agreed is refused by name.
"""

from __future__ import annotations

import errno
import gzip
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal

from pytest_wml.errors import BadArchive
from pytest_wml.model.streams import Forward, pieces, reading

_LONGEST_NAME, _LONGEST_PART = 4096, 255

Form = Literal["gzip", "tar", "zip"]


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold.

    Attributes:
        members: number of files and folders.
        total: bytes of all files, unpacked.
    """

    members: int = 100_000
    total: int = 8 << 30


@dataclass(frozen=True)
class Member:
    """One file.

    Attributes:
        name: its path from the root, with ``/`` between the parts and without a leading ``./``.
        chunks: its content in pieces of at most 1 MiB, to be read before the next member is asked for.
        path: where it lies, if it comes from a folder.
    """

    name: str
    chunks: Iterator[bytes]
    path: Path | None = None


def form_of(stream: BinaryIO) -> Form | None:
    """Tell by its first bytes what archive a stream holds, None for none; the stream is wound back.

    Raises:
        BadArchive: it starts as gzip and cannot be unpacked.
    """
    start = _start(stream)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if not start.startswith(b"\x1f\x8b"):
        return "tar" if _is_tar(start) else None
    with reading():
        unpacked = gzip.GzipFile(fileobj=stream, mode="rb").read(tarfile.BLOCKSIZE)
    stream.seek(0)
    return "gzip" if _is_tar(unpacked) else None


def members(source: Path | BinaryIO, limits: Limits | None = None) -> Iterator[Member]:
    """Yield every file of a folder (sorted) or of an archive (in its order).

    Args:
        source: a folder, or a seekable stream of a .tar.gz, .tar or .zip.
        limits: how much it may hold.

    Raises:
        BadArchive: a member must not be unpacked, a limit is passed, or the archive is damaged.
    """
    limits = limits or Limits()
    return _limited(_found(source), limits)


def safe_name(name: str) -> str:
    """Give a member's path without leading ``./``; empty for the root itself.

    Raises:
        BadArchive: the path leads elsewhere, or no file system takes it.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    bad = (
        name.startswith("/")
        or ".." in parts
        or any(character in name for character in "\\\0")
        or name[1:2] == ":"
        or len(name) > _LONGEST_NAME
        or any(len(os.fsencode(part)) > _LONGEST_PART for part in parts)
    )
    if bad:
        raise _refused(name, "its path leads out of the archive or cannot be a file's")
    return "/".join(parts)


def _found(source: Path | BinaryIO) -> Iterator[Member | None]:
    if isinstance(source, Path):
        return _folder(source)
    return _zip(source) if form_of(source) == "zip" else _tar(source)


def _limited(found: Iterator[Member | None], limits: Limits) -> Iterator[Member]:
    names: set[str] = set()
    left = limits.total
    for count, member in enumerate(found, 1):
        if count > limits.members:
            raise BadArchive("The archive has too many members.", limit=f"{limits.members:,}")
        if member is None:
            continue
        if member.name in names:
            raise _refused(member.name, "the archive holds it twice")
        names.add(member.name)

        def counted(member: Member = member) -> Iterator[bytes]:
            nonlocal left
            for chunk in member.chunks:
                left -= len(chunk)
                if left < 0:
                    raise BadArchive(
                        "The archive is too large when unpacked.",
                        limit=f"{limits.total:,} bytes",
                        member=member.name,
                    )
                yield chunk

        yield Member(member.name, counted(), member.path)


def _folder(root: Path) -> Iterator[Member | None]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(folder, name)
            inside = safe_name(path.relative_to(root).as_posix())
            if path.is_dir() and not path.is_symlink():
                yield None
            elif path.is_file():
                yield Member(inside, _file_chunks(path), path)
            else:
                raise _refused(inside, "it is a link to a folder, a broken link or no regular file")


def _file_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from pieces(stream)


def _tar(stream: BinaryIO) -> Iterator[Member | None]:
    packed = _start(stream).startswith(b"\x1f\x8b")
    with reading():
        inner = gzip.GzipFile(fileobj=stream, mode="rb") if packed else stream
        with tarfile.open(fileobj=Forward(inner), mode="r:") as archive:
            while info := archive.next():
                # tarfile keeps every header, which a hundred thousand members make a hundred megabytes.
                archive.members.clear()  # type: ignore[attr-defined]
                if info.isdir():
                    safe_name(info.name)
                    yield None
                    continue
                if not info.isreg() or info.issparse():
                    raise _refused(info.name, "it is a link, a device or a sparse file")
                content = archive.extractfile(info)
                assert content is not None
                yield Member(safe_name(info.name), pieces(content))


def _zip(stream: BinaryIO) -> Iterator[Member | None]:
    with reading(), zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                safe_name(info.filename)
                yield None
                continue
            if kind not in (0, stat.S_IFREG):
                raise _refused(info.filename, "it is a link or a device")
            with _opened(archive, info) as content:
                yield Member(safe_name(info.filename), pieces(content))


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(info)
    except OSError as error:
        # A file's position cannot be set before its start. Any other trouble is the disk's.
        if error.errno != errno.EINVAL:
            raise
        raise zipfile.BadZipFile(f"the place of {info.filename} is before the archive's start") from error


def _start(stream: BinaryIO) -> bytes:
    stream.seek(0)
    start = stream.read(tarfile.BLOCKSIZE)
    stream.seek(0)
    return start


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return True
    except (tarfile.TarError, ValueError):
        return False
    return True


def _refused(name: str, reason: str) -> BadArchive:
    return BadArchive("The archive has a member that must not be unpacked.", member=name, reason=reason)
