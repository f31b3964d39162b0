"""Models in memory: each archive is loaded once, in a thread of its own, while requests go on."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_wml.emulator.contents import Contents, StoredContent, writing
from pytest_wml.emulator.refusals import ContentLost, NotKept
from pytest_wml.emulator.runtimes.loading import Policy, load
from pytest_wml.emulator.runtimes.protocol import Runtime, ScoringRequest, Starting
from pytest_wml.emulator.served_asset import ServedAsset
from pytest_wml.model.serving import LoadFailed
from pytest_wml.wml.acceptance import version_warning

_AT_ONCE = 8
"""Loads at a time: after a restart, one list of deployments may begin a hundred."""
_GONE = "Its deployment was deleted, or the service was closed."
_Key = tuple[str, str]


@dataclass(frozen=True)
class LoadOutcome:
    """How a load ended."""

    failure: str = ""
    """Why the model cannot be served; empty where it can."""


class _Slot:
    """One archive that is being loaded, and then what came of it."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.failure = ""
        self.may_be_retried = False
        """Whether the failure has another cause than the archive: its file was lost, or the disk was full."""
        self.done = threading.Event()
        self.thread: threading.Thread | None = None
        self._folder: Path | None = None
        self._state = threading.Lock()
        self._starting: Starting | None = None
        self._ended = False

    def unpack_into(self, folder: Path) -> Path:
        """A folder of its own below this one, removed when the slot ends or the load fails."""
        self._folder = Path(tempfile.mkdtemp(prefix="model-", dir=folder))
        return self._folder

    def starting(self, runtime: Starting) -> None:
        """Note what is about to be loaded.

        Raises:
            LoadFailed: it is not needed any more.
        """
        with self._state:
            if self._ended:
                raise LoadFailed(_GONE)
            self._starting = runtime

    def finish(self) -> None:
        """The load has ended, either way."""
        with self._state:
            if self._ended:
                self.runtime, self.failure = None, self.failure or _GONE
            self.done.set()

    def interrupt(self) -> bool:
        """Give up what is being loaded; whether anything is."""
        with self._state:
            if self.done.is_set():
                return False
            self._ended = True
            runtime = self._starting
        if runtime:
            runtime.interrupt()
        return True

    def end(self) -> None:
        """Close what is loaded or being loaded; its files go at once, or when the load has ended."""
        with self._state:
            self._ended = True
            runtime, done = self._starting, self.done.is_set()
        if runtime:
            runtime.close()
        if done:
            self.remove()

    def remove(self) -> None:
        """Remove the files."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class Scorers:
    """Runtimes by the digest of their archive.

    Args:
        contents: where archives are kept.
        folder: where they are unpacked, a folder each.
        policy: how models may be run.
        warn: called with a warning about the answers of a model, or None.
        crashed: called with an exception that no load should raise.
    """

    def __init__(
        self,
        contents: Contents,
        folder: Path,
        policy: Policy,
        warn: Callable[[str | None], None],
        crashed: Callable[[Exception], None],
    ) -> None:
        self._contents = contents
        self._folder = folder
        self._policy = policy
        self._warn_of = warn
        self._crashed = crashed
        # The framework too: one archive may be stored under two types, and be answered in two forms.
        self._slots: dict[_Key, _Slot] = {}
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self._closed = False
        self._changed = threading.Condition()
        self._loading = 0
        self._ends = 0
        """Counts the loads that have ended."""
        self._ends_seen = 0
        """How many loads had ended when `look` last found one going on."""

    def begin(self, served: ServedAsset) -> None:
        """Load what is deployed now, unless it is loaded or being loaded; does not wait for it.

        What failed is tried again where the archive itself was not at fault.
        """
        if served.content is None:
            return
        with self._changed:
            slot = self._slots.get(_key(served.content, served))
            if slot is None or (slot.done.is_set() and slot.may_be_retried):
                self._start(served.content, served)
            elif slot.done.is_set():
                self._count_end()

    def resume(self, served: ServedAsset) -> None:
        """Load what was deployed before a restart, unless that was tried; does not wait for it."""
        if served.content is None:
            return
        with self._changed:
            if _key(served.content, served) not in self._slots:
                self._start(served.content, served)

    def look(self, served: ServedAsset) -> LoadOutcome | None:
        """How the load of what is served ended; None before. Neither begins one nor waits for it."""
        if served.content is None:
            return LoadOutcome("The model has no content.")
        with self._changed:
            slot = self._slots.get(_key(served.content, served))
            if slot is None or not slot.done.is_set():
                self._ends_seen = self._ends
                return None
        if slot.runtime:
            self._warn(slot.runtime, served)
        return LoadOutcome(slot.failure)

    def wait(self, seconds: float) -> bool:
        """Wait until a load has ended since `look` last found one going on, or none is; at most so many seconds.

        Returns:
            whether that is so.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._loading or self._ends != self._ends_seen, seconds)

    def loaded(self, served: ServedAsset) -> Runtime:
        """The runtime of what is served; waits for its load, which is begun if nobody did before.

        Raises:
            LoadFailed: it cannot be served; the same again to everyone who asks.
        """
        if served.content is None:
            raise LoadFailed("The model has no content.")
        with self._changed:
            slot = self._slots.get(_key(served.content, served)) or self._start(served.content, served)
        slot.done.wait()
        if slot.runtime is None:
            raise LoadFailed(slot.failure)
        self._warn(slot.runtime, served)
        return slot.runtime

    def _warn(self, runtime: Runtime, served: ServedAsset) -> None:
        """Pass on why the service may answer otherwise."""
        for warning in runtime.warnings:
            self._warn_of(warning)
        self._warn_of(version_warning(runtime.written_by, served.framework, served.software_spec))

    def answer(self, served: ServedAsset, payload: Mapping[str, Any], token: str) -> Any:
        """The document that answers a scoring.

        Args:
            served: what scores.
            payload: the body of the request.
            token: of the caller.

        Raises:
            BadInput: the payload does not fit the model.
            ScoringFailed: the model broke.
            LoadFailed: it cannot be served.
        """
        return self.loaded(served).answer(ScoringRequest(payload, token, served.schema))

    def release(self, gone: Collection[str], needed: Collection[ServedAsset]) -> Callable[[], None]:
        """Forget what nobody needs any more; what is returned frees it, which may take a moment.

        What is being scored in this process keeps its own hold on the model.

        Args:
            gone: digests of content that is not kept any more.
            needed: all that is served; what is still being loaded and not among it is given up.
        """
        keys = {_key(served.content, served) for served in needed if served.content}
        with self._changed:
            released = [
                self._slots.pop(key)
                for key, slot in list(self._slots.items())
                if key[0] in gone or (key not in keys and not slot.done.is_set())
            ]

        def free() -> None:
            for slot in released:
                slot.end()

        return free

    def interrupt(self) -> bool:
        """Give up what is being loaded, in a process that is about to end; whether anything is."""
        with self._changed:
            slots = list(self._slots.values())
        return any([slot.interrupt() for slot in slots])

    def close(self) -> None:
        """Free everything, and wait for the threads that load."""
        with self._changed:
            self._closed = True
            slots = list(self._slots.values())
            self._slots.clear()
        for slot in slots:
            slot.end()
        for slot in slots:
            if slot.thread:
                slot.thread.join()

    def _start(self, content: StoredContent, served: ServedAsset) -> _Slot:
        slot = _Slot()
        if self._closed:
            slot.end()
            slot.finish()
            return slot
        self._slots[_key(content, served)] = slot
        self._loading += 1
        self._ends_seen = self._ends
        # A daemon: a load that hangs in this process must not keep it from ending.
        slot.thread = threading.Thread(
            target=self._fill, args=(slot, content, served.framework), name="wml-load", daemon=True
        )
        slot.thread.start()
        return slot

    def _fill(self, slot: _Slot, content: StoredContent, framework: str) -> None:
        try:
            with self._at_once, writing():
                path = self._contents.path(content)
                slot.runtime = load(path, slot.unpack_into(self._folder), framework, self._policy, slot.starting)
        except (ContentLost, NotKept) as problem:
            slot.failure, slot.may_be_retried = problem.message, True
        except LoadFailed as failure:
            slot.failure = str(failure)
        except Exception as crash:  # noqa: BLE001 those who wait for the load need its end
            self._crashed(crash)
            slot.failure = "The service met an unexpected error."
        finally:
            self._finish(slot)

    def _finish(self, slot: _Slot) -> None:
        if slot.runtime is None:
            slot.remove()
        with self._changed:  # who sees that it has ended must not wait for it
            slot.finish()
            self._loading -= 1
            self._count_end()
        if slot.runtime is None:  # released at the last moment
            slot.remove()

    def _count_end(self) -> None:
        self._ends += 1
        self._changed.notify_all()


def _key(content: StoredContent, served: ServedAsset) -> _Key:
    return content.digest, served.framework
