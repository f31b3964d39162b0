"""What lies in an archive or folder: each file's size and hash, and the few files that are read again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pytest_wml.model.members import Member

# TensorFlow fills it with random numbers: two exports of one model never agree in it.
_FINGERPRINT = "fingerprint.pb"


@dataclass(frozen=True)
class ArchiveFile:
    """One file: bytes, SHA-256 in hexadecimal digits, and where it can be read again (None: nowhere)."""

    size: int
    digest: str
    path: Path | None = None


def gathered(found: Iterator[Member], keep: frozenset[str], folder: Path) -> Iterator[tuple[str, ArchiveFile]]:
    """Read every member once and yield its name and what was found.

    Args:
        found: the members, each read before the next is asked for.
        keep: starts of the names that are read again; in ``folder`` unless they lie on disk already.
        folder: takes the copies, under numbers instead of names.
    """
    for number, member in enumerate(found):
        wanted = member.path is None and member.name.startswith(tuple(keep))
        copy = folder / str(number) if wanted else None
        yield member.name, _read(member, copy)


def _read(member: Member, copy: Path | None) -> ArchiveFile:
    digest, size = hashlib.sha256(), 0
    with ExitStack() as stack:
        target = stack.enter_context(copy.open("wb")) if copy else None
        for chunk in member.chunks:
            digest.update(chunk)
            size += len(chunk)
            if target:
                target.write(chunk)
    return ArchiveFile(size, digest.hexdigest(), copy or member.path)


def archive_digest(files: Mapping[str, ArchiveFile]) -> str:
    """Hash names, sizes and contents, whatever packed them: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        if name != _FINGERPRINT:
            digest.update(f"{name}\0{file.size}\0{file.digest}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
