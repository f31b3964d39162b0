"""What a run records: collected in each process, written by the controller."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.interception.request_log import Requester
    from pytest_wml.replay.cassette.parts import Part
    from pytest_wml.replay.cassette.tape import Content
    from pytest_wml.replay.recorder import Recorder
    from pytest_wml.runner.cassette_writer import Outcome, Reference, Shard
    from pytest_wml.runner.configuration import Configuration


class Recording:
    """The recording of one run.

    Args:
        configuration: of the run.
        recorder: returns the recorder of this process; None where nothing was asked.

    Attributes:
        models: by cassette name, the model of a deployment that was not uploaded in this run.
        references: by file name, what the check `drift` recorded.
        shards: on the controller, what each process recorded.
        outcomes: what became of each cassette.
    """

    def __init__(self, configuration: Configuration, recorder: Callable[[], Recorder | None]) -> None:
        self._configuration = configuration
        self._recorder = recorder
        self.models: dict[str, Content] = {}
        self.references: dict[str, Reference] = {}
        self.shards: list[Shard] = []
        self.outcomes: list[Outcome] = []

    @property
    def wanted(self) -> bool:
        """Whether this run records."""
        return self._configuration.settings.record.value

    def test_ended(self, test: str, fixtures: Iterable[str]) -> None:
        """A test with these fixtures has ended: requests of the fixtures belong to it too."""
        recorder = self._recorder()
        if recorder is not None:
            recorder.test_ended(test, fixtures)

    def keep_reference(self, name: str, requester: Requester, file: Path, text: str, told: str) -> None:
        """Keep a reference of the check `drift` until the cassettes are written, of which it is a part."""
        from pytest_wml.runner.cassette_writer import Reference

        self.references[file.name] = Reference(name, requester.where, text, told)

    def shard(self, failed: set[str]) -> Shard:
        """What this process recorded.

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

    def save(self, part: Part) -> None:
        """Write the cassettes of all processes.

        Args:
            part: how much of the suite ran.
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
            self.outcomes = list(save(self.shards, configuration.cassettes, facts, part=part, today=today, max_age=age))
