"""Finds the archives for uploads by their digests: a recording does not contain their bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pytest_wml.config import similar_names
from pytest_wml.errors import BadArchive, WMLTestError
from pytest_wml.model.storing import packed
from pytest_wml.replay.bodies import as_content
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.library import same_model
from pytest_wml.replay.cassette.tape import ArchiveContent
from pytest_wml.runner.fixture_values import sample_archive

_DIGITS = 16


class ModelNotAtHand(WMLTestError):
    """None of the given and known archives is the recorded model."""


class Uploads:
    """Finds archives by their digests.

    Args:
        named: archives, model folders or model files from the command line.
        suites: returns the models of the suite in the working folder; called only if the others do not match.
        folder: folder for packed models.
    """

    def __init__(self, named: Iterable[Path], suites: Callable[[], Iterable[Path]], folder: Path) -> None:
        self._named = list(named)
        self._suites = suites
        self._folder = folder
        self._read: dict[Path, ArchiveContent] = {}
        """Digests by archive."""
        self._unread = self._candidates()

    def path(self, cassette: Cassette, recorded: ArchiveContent) -> Path:
        """Return the archive to send for a recorded upload.

        Raises:
            ModelNotAtHand: none matches.
        """
        for path, content in self._read.items():
            if same_model(recorded, content):
                return path
        for path, content in self._unread:
            self._read[path] = content
            if same_model(recorded, content):
                return path
        looked = (f"{path}: {content.basis} {content.model[:_DIGITS]}" for path, content in self._read.items())
        raise ModelNotAtHand(
            f"The model of cassette {cassette.name} was not found: a recording contains its digests, not its bytes.",
            recorded=f"{recorded.basis} {recorded.model[:_DIGITS]}, archive {recorded.archive[:_DIGITS]}, "
            f"{recorded.size:,} bytes",
            looked_at="\n".join(looked),
            fix="give the recorded archive: --model ARCHIVE; for a new model record again first:\n"
            "pytest --wml=embedded --wml-record",
        )

    def _candidates(self) -> Iterator[tuple[Path, ArchiveContent]]:
        for number, path in enumerate(self._named):
            if not path.exists():
                fix = "give an archive, a SavedModel folder or a file"
                raise BadArchive(f"There is no model at {path}.", there_is=similar_names.files(path), fix=fix)
            yield self._archive(path, number)
        yield self._archive(sample_archive(), len(self._named))
        for number, path in enumerate(self._suites(), len(self._named) + 1):
            try:
                yield self._archive(path, number)
            except BadArchive:  # other archives may match; a missing one is reported
                continue

    def _archive(self, path: Path, number: int) -> tuple[Path, ArchiveContent]:
        def folder() -> Path:
            own = self._folder / str(number)
            own.mkdir(exist_ok=True)
            return own

        archive = packed(path, path.name, folder)
        return archive.path, as_content(archive)
