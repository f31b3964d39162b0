"""Loaded models, each loaded once."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_wml.embedded.contents import Content, Contents, writing
from pytest_wml.embedded.doubts import version_doubt
from pytest_wml.embedded.refusals import ContentLost, NotKept
from pytest_wml.embedded.runtimes.loading import Policy, load
from pytest_wml.embedded.runtimes.protocol import LoadFailed, Runtime
from pytest_wml.embedded.served import Served


class _Slot:
    """What became of one archive: not tried yet, loaded, or failed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.folder: Path | None = None
        self.runtime: Runtime | None = None
        self.failure: LoadFailed | None = None
        self._state = threading.Lock()
        self._starting: Runtime | None = None
        self._ended = False

    def starting(self, runtime: Runtime) -> None:
        """Note what is about to be loaded.

        Raises:
            LoadFailed: it is not wanted any more.
        """
        with self._state:
            if self._ended:
                raise _gone()
            self._starting = runtime

    def end(self) -> None:
        """Close what is loaded or being loaded, and remove its files; does not wait for a model that hangs."""
        with self._state:
            self._ended = True
            runtime = self._starting
        if runtime:
            runtime.close()
        with self.lock:
            self.failure = self.failure or _gone()
            self.remove()

    def remove(self) -> None:
        """Remove the files; the lock is held."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


class Scorers:
    """Runtimes by the digest of their archive: the first who asks loads, whoever comes meanwhile waits.

    Args:
        contents: where archives are kept.
        folder: where they are unpacked, a folder each.
        policy: how models may be run.
        doubt: called with what should make a reader doubt the answers of a model, None where nothing should.
    """

    def __init__(self, contents: Contents, folder: Path, policy: Policy, doubt: Callable[[str | None], None]) -> None:
        self._contents = contents
        self._folder = folder
        self._policy = policy
        self._doubt = doubt
        self._lock = threading.Lock()
        # The framework too: one archive may be stored under two types, and be answered in two forms.
        self._slots: dict[tuple[str, str], _Slot] = {}

    def load(self, served: Served) -> Runtime:
        """The runtime of what is served; loaded now if nobody did before.

        Raises:
            LoadFailed: it cannot be served; the same again to everyone who asks.
            NotKept: the disk is full, or fails.
        """
        content = _content_of(served)
        with self._lock:
            slot = self._slots.setdefault((content.digest, served.framework), _Slot())
        with slot.lock:
            if slot.runtime is None and slot.failure is None:
                self._fill(slot, content, served.framework)
        if slot.runtime is None:
            raise LoadFailed(str(slot.failure))
        for warning in slot.runtime.warnings:
            self._doubt(warning)
        self._doubt(version_doubt(slot.runtime.written_by, served.framework, served.software_spec))
        return slot.runtime

    def check(self, served: Served) -> None:
        """Pass when what is served is loaded, or could be: its content is there and whole.

        Raises:
            LoadFailed: it is not.
        """
        content = _content_of(served)
        with self._lock:
            slot = self._slots.get((content.digest, served.framework))
        if slot is None or slot.runtime is None:
            self._path(content)

    def answer(self, served: Served, payload: Mapping[str, Any]) -> Any:
        """The document that answers a scoring.

        Raises:
            BadInput: the payload does not fit the model.
            ScoringFailed: the model broke.
            LoadFailed: it cannot be served.
        """
        return self.load(served).answer(payload)

    def forget(self, digests: Iterable[str]) -> None:
        """Free what was loaded for these; what is being scored in this process keeps its own hold on the model."""
        gone = set(digests)
        with self._lock:
            slots = [self._slots.pop(key) for key in list(self._slots) if key[0] in gone]
        for slot in slots:
            slot.end()

    def close(self) -> None:
        with self._lock:
            digests = [digest for digest, _ in self._slots]
        self.forget(digests)

    def _fill(self, slot: _Slot, content: Content, framework: str) -> None:
        # One that is lost may be uploaded again: not remembered as a failure of what it holds.
        path = self._path(content)
        try:
            with writing():
                slot.folder = Path(tempfile.mkdtemp(prefix="model-", dir=self._folder))
                slot.runtime = load(path, slot.folder, framework, self._policy, slot.starting)
        except LoadFailed as failure:
            slot.failure = failure
            slot.remove()
        except NotKept:
            # Half unpacked: whoever asks next tries again.
            slot.remove()
            raise

    def _path(self, content: Content) -> Path:
        try:
            return self._contents.path(content)
        except ContentLost as lost:
            raise LoadFailed(lost.message) from lost


def _gone() -> LoadFailed:
    return LoadFailed("Its deployment was deleted, or the service was closed.")


def _content_of(served: Served) -> Content:
    if served.content is None:
        raise LoadFailed("The model has no content.")
    return served.content
