"""Loaded models, each loaded once."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_wml.embedded.contents import Content, Contents
from pytest_wml.embedded.runtimes.loading import load
from pytest_wml.embedded.runtimes.protocol import LoadFailed, Runtime


class _Slot:
    """What became of one archive: not tried yet, loaded, or failed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.folder: Path | None = None
        self.runtime: Runtime | None = None
        self.failure: LoadFailed | None = None


class Scorers:
    """Runtimes by the digest of their archive: the first who asks loads, whoever comes meanwhile waits.

    Args:
        contents: where archives are kept.
        folder: where they are unpacked, a folder each.
    """

    def __init__(self, contents: Contents, folder: Path) -> None:
        self._contents = contents
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._slots: dict[str, _Slot] = {}

    def load(self, content: Content | None) -> Runtime:
        """The runtime of this content; loaded now if nobody did before.

        Raises:
            LoadFailed: it cannot be served; the same again to everyone who asks.
        """
        if content is None:
            raise LoadFailed("The model has no content.")
        with self._lock:
            slot = self._slots.setdefault(content.digest, _Slot())
        with slot.lock:
            if slot.runtime is None and slot.failure is None:
                self._fill(slot, content)
        if slot.runtime is None:
            raise LoadFailed(str(slot.failure))
        return slot.runtime

    def score(self, content: Content | None, input_data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.load(content).score(input_data)

    def forget(self, digests: Iterable[str]) -> None:
        """Free what was loaded for these; a request that is being scored keeps its own hold on the model."""
        with self._lock:
            slots = [self._slots.pop(digest) for digest in digests if digest in self._slots]
        for slot in slots:
            with slot.lock:
                if slot.folder:
                    shutil.rmtree(slot.folder, ignore_errors=True)

    def close(self) -> None:
        with self._lock:
            digests = list(self._slots)
        self.forget(digests)

    def _fill(self, slot: _Slot, content: Content) -> None:
        slot.folder = Path(tempfile.mkdtemp(prefix="model-", dir=self._folder))
        try:
            slot.runtime = load(self._contents.path(content), slot.folder)
        except LoadFailed as failure:
            slot.failure = failure
