"""The bytes of uploads: a recording holds digests only, and the archive that has them is found by them."""

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
    """No archive that was named or is known is the recorded model."""


class Uploads:
    """Finds archives by their digests.

    Args:
        named: by whoever asks; each is an archive, a model's folder or a model file.
        suites: gives those that the suite in the working folder names; called only where the others do not do.
        folder: for what has to be packed.
    """

    def __init__(self, named: Iterable[Path], suites: Callable[[], Iterable[Path]], folder: Path) -> None:
        self._named = list(named)
        self._suites = suites
        self._folder = folder
        self._read: dict[Path, ArchiveContent] = {}
        """By the archive that is sent."""
        self._unread = self._candidates()

    def path(self, cassette: Cassette, recorded: ArchiveContent) -> Path:
        """The archive to send where this one was recorded.

        Raises:
            ModelNotAtHand: there is none.
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
            f"The model of cassette {cassette.name} is not at hand: a recording holds its digests, not its bytes.",
            recorded=f"{recorded.basis} {recorded.model[:_DIGITS]}, archive {recorded.archive[:_DIGITS]}, "
            f"{recorded.size:,} bytes",
            looked_at="\n".join(looked),
            fix="name the archive that was recorded: --model ARCHIVE; with a new model record again first:\n"
            "pytest --wml=embedded --wml-record",
        )

    def _candidates(self) -> Iterator[tuple[Path, ArchiveContent]]:
        for number, path in enumerate(self._named):
            if not path.exists():
                fix = "name an archive, a SavedModel folder or a file"
                raise BadArchive(f"There is no model at {path}.", there_is=similar_names.files(path), fix=fix)
            yield self._archive(path, number)
        yield self._archive(sample_archive(), len(self._named))
        for number, path in enumerate(self._suites(), len(self._named) + 1):
            try:
                yield self._archive(path, number)
            except BadArchive:  # the suite may have others, and whoever is missing one is told
                continue

    def _archive(self, path: Path, number: int) -> tuple[Path, ArchiveContent]:
        def folder() -> Path:
            own = self._folder / str(number)
            own.mkdir(exist_ok=True)
            return own

        archive = packed(path, path.name, folder)
        return archive.path, as_content(archive)
