"""The recording of a run: collected in each process, written by the controller."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.interception.request_log import Requester
    from pytest_wml.replay.cassette.suite_part import SuitePart
    from pytest_wml.replay.cassette.tape import ArchiveContent
    from pytest_wml.replay.recorder import Recorder
    from pytest_wml.runner.cassette_writer import Reference, Shard, WriteResult
    from pytest_wml.runner.configuration import Configuration


class Recording:
    """The recording of one run.

    Args:
        configuration: of the run.
        recorder: returns the recorder of this process; None if there were no requests.

    Attributes:
        models: cassette name → model of a deployment that this run did not upload.
        references: file name → reference of the check `drift`.
        shards: on the controller, the recordings of all processes.
        write_results: result of writing each file.
    """

    def __init__(self, configuration: Configuration, recorder: Callable[[], Recorder | None]) -> None:
        self._configuration = configuration
        self._recorder = recorder
        self.models: dict[str, ArchiveContent] = {}
        self.references: dict[str, Reference] = {}
        self.shards: list[Shard] = []
        self.write_results: list[WriteResult] = []

    @property
    def enabled(self) -> bool:
        """Whether this run records."""
        return self._configuration.settings.record.value

    def test_ended(self, test: str, fixtures: Iterable[str]) -> None:
        """Record the end of a test, to which the requests of its fixtures belong too."""
        recorder = self._recorder()
        if recorder is not None:
            recorder.test_ended(test, fixtures)

    def keep_reference(self, name: str, requester: Requester, file: Path, text: str, change: str) -> None:
        """Store a reference of the check `drift` until the cassettes are written."""
        from pytest_wml.runner.cassette_writer import Reference

        self.references[file.name] = Reference(name, requester.where, text, change)

    def shard(self, failed: set[str]) -> Shard:
        """The recording of this process.

        Args:
            failed: node ids of the tests that failed in it.
        """
        from pytest_wml.runner.cassette_writer import Shard

        configuration, recorder = self._configuration, self._recorder()
        return Shard(
            tapes=recorder.tapes if recorder else {},
            users=recorder.users if recorder else {},
            claims=recorder.claims if recorder else {},
            models=self.models,
            references=self.references,
            failed=failed,
            secrets=configuration.secrets.all(),
            aliases=configuration.aliases,
            varying=configuration.varying,
        )

    def save(self, part: SuitePart) -> None:
        """Write the cassettes of all processes.

        Args:
            part: the executed part of the suite.
        """
        from pytest_wml.client import safe_client
        from pytest_wml.runner.cassette_writer import save

        if any(any(shard.tapes.values()) for shard in self.shards):
            configuration = self._configuration
            facts = {
                "recorded_from": configuration.mode.value,
                "client": safe_client.loaded() or safe_client.version(),
            }
            today = datetime.datetime.now(datetime.UTC).date()
            age = configuration.settings.max_age.value
            self.write_results = list(
                save(self.shards, configuration.cassettes, facts, part=part, today=today, max_age=age)
            )
