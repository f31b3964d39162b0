"""What was uploaded: files on disk, named by the digest of what they hold."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pytest_wml.emulator.refusals import ContentLost, Invalid, NoSpaceLeft, NotKept
from pytest_wml.wml.embedded import EMBEDDED

_DIGEST = re.compile(r"[0-9a-f]{64}")
_UPLOAD = "upload-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class StoredContent:
    """The attachment of a model."""

    digest: str
    """SHA-256 of the bytes, in hexadecimal."""
    size: int
    content_format: str
    attachment_id: str


class Contents:
    """Keeps uploads in a folder; the same bytes are kept once.

    Args:
        folder: the service's own; what is in it already was kept by a service before this one, and uploads that
            one did not finish are removed.
        lasting: whether what is kept must be on the disk before it is acknowledged.
    """

    def __init__(self, folder: Path, lasting: bool) -> None:
        self._folder = folder
        self._lasting = lasting
        # Digests of the files that this process wrote or has read through.
        self._sound: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(f"{_UPLOAD}*"):
            unfinished.unlink()

    def path(self, content: StoredContent) -> Path:
        """The file, which holds what was uploaded: one that an earlier service kept is read through first.

        Raises:
            ContentLost: it is not there any more, or holds something else.
        """
        path = self._folder / content.digest
        try:
            if content.digest not in self._sound:
                self._sound.add(_checked(path, content))
            if path.stat().st_size == content.size:
                return path
        except OSError as problem:
            raise _lost(content, problem.strerror or "it cannot be read") from problem
        raise _lost(content, "its file has another size")

    def open(self, content: StoredContent) -> BinaryIO:
        """The file, open for reading.

        Raises:
            ContentLost: as for `path`.
        """
        try:
            return self.path(content).open("rb")
        except OSError as problem:
            raise _lost(content, problem.strerror or "it cannot be read") from problem

    def receive(self, chunks: Iterable[bytes], content_format: str) -> tuple[StoredContent, Path]:
        """Write an upload beside its final place; `keep` or `discard` it next.

        Raises:
            Invalid: the upload is empty. IBM's client sends an empty body when it repeats an upload after a
                network error, and would report success.
            NotKept: the disk is full, or fails.
        """
        digest = hashlib.sha256()
        with writing():
            handle, name = tempfile.mkstemp(prefix=_UPLOAD, dir=self._folder)
        upload = Path(name)
        try:
            with writing(), os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                size = file.tell()
                if self._lasting:
                    file.flush()
                    os.fsync(file.fileno())
            if not size:
                raise Invalid("empty_content", "The content of a model cannot be empty.")
        except BaseException:
            upload.unlink()
            raise
        return StoredContent(digest.hexdigest(), size, content_format, str(uuid.uuid4())), upload

    def keep(self, content: StoredContent, upload: Path) -> None:
        """Move an upload to its final place, at once and whole.

        Raises:
            NotKept: the disk fails.
        """
        with writing():
            upload.replace(self._folder / content.digest)
            if self._lasting:
                sync_folder(self._folder)
        self._sound.add(content.digest)

    def discard(self, upload: Path) -> None:
        upload.unlink(missing_ok=True)

    def keep_only(self, digests: Collection[str]) -> set[str]:
        """Delete what is not among these; returns the digests of what was deleted."""
        names = {path.name for path in self._folder.iterdir()}
        dropped = {name for name in names if _DIGEST.fullmatch(name) and name not in digests}
        for digest in dropped:
            (self._folder / digest).unlink()
        self._sound -= dropped
        return dropped


def sync_folder(folder: Path) -> None:
    """Have the disk know what is in a folder: without it, a file renamed into it can be gone after a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """A block whose failing writes are refusals: nothing of what was asked is done then.

    Raises:
        NoSpaceLeft: the disk is full.
        NotKept: the disk refuses for another reason.
    """
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        if problem.errno in _FULL:
            raise NoSpaceLeft(
                "insufficient_storage", f"There is no space left for what was sent: {reason}."
            ) from problem
        raise NotKept("storage_failed", f"{EMBEDDED} could not write to its disk: {reason}.") from problem


def _checked(path: Path, content: StoredContent) -> str:
    # The name comes from a record: only a digest is looked up, never a path.
    if not _DIGEST.fullmatch(content.digest):
        raise _lost(content, "its record names no digest")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != content.digest:
            raise _lost(content, "its file holds something else than what was uploaded")
    return content.digest


def _lost(content: StoredContent, reason: str) -> ContentLost:
    return ContentLost(
        "content_lost", f"The content with SHA-256 {content.digest[:64]} is lost: {reason}. Upload it again."
    )
