"""What was uploaded: files on disk, named by the digest of what they hold."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_wml.embedded.refusals import Invalid


@dataclass(frozen=True)
class Content:
    """The attachment of a model."""

    digest: str
    """SHA-256 of the bytes, in hexadecimal."""
    size: int
    content_format: str
    attachment_id: str


class Contents:
    """Keeps uploads in a folder; the same bytes are kept once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, content: Content) -> Path:
        return self._folder / content.digest

    def receive(self, chunks: Iterable[bytes], content_format: str) -> tuple[Content, Path]:
        """Write an upload beside its final place; `keep` or `discard` it next.

        Raises:
            Invalid: the upload is empty. IBM's client sends an empty body when it repeats an upload after a
                network error, and would report success.
        """
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(prefix="upload-", dir=self._folder)
        upload = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                size = file.tell()
            if not size:
                raise Invalid("empty_content", "The content of a model cannot be empty.")
        except BaseException:
            upload.unlink()
            raise
        return Content(digest.hexdigest(), size, content_format, str(uuid.uuid4())), upload

    def keep(self, content: Content, upload: Path) -> None:
        """Move an upload to its final place, at once and whole."""
        upload.replace(self.path(content))

    def discard(self, upload: Path) -> None:
        upload.unlink(missing_ok=True)

    def keep_only(self, digests: Collection[str]) -> set[str]:
        """Delete what is not among these; returns the digests of what was deleted."""
        dropped = {
            path.name
            for path in self._folder.iterdir()
            if not path.name.startswith("upload-") and path.name not in digests
        }
        for digest in dropped:
            (self._folder / digest).unlink()
        return dropped
