"""Batch jobs: one scoring of a batch deployment each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pytest_wml.emulator.refusals import Missing
from pytest_wml.emulator.runtimes.protocol import Elements
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.state.registry import RecordRegistry

State = Literal["queued", "running", "completed", "failed", "canceled"]
Predictions = Any
"""A list of elements; of a function, whatever it returned."""
Scoring = Callable[["JobRecord"], Predictions]


class JobFailed(Exception):
    """The data of a job could not be scored; the message is what its failure will say."""


class StillRunning(Exception):
    """A job takes longer than a look at it waits."""


@dataclass(frozen=True)
class JobDraft:
    """What a caller says of a job, checked."""

    name: str
    deployment_id: str
    input_data: Elements
    entity: Mapping[str, Any] = field(default_factory=dict)
    """Members of the entity that the service keeps and does not read: hardware_spec, custom."""


@dataclass(frozen=True)
class JobRecord:
    number: int
    id: str
    space_id: str
    owner: str
    draft: JobDraft
    created_at: float
    state: State = "queued"
    running_at: float | None = None
    completed_at: float | None = None
    predictions: Predictions = None
    failure: str = ""
    platform_job_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def _missing(job_id: str) -> Missing:
    return Missing("deployment_job_does_not_exist", f"Deployment job with id '{job_id}' does not exist.")


class JobRegistry(RecordRegistry[JobRecord]):
    """Jobs by id: `queued` when made, `running` when looked at first, done when looked at after it was scored."""

    def __init__(self, journal: StateJournal, clock: Callable[[], float]) -> None:
        super().__init__(journal, "job", JobRecord, _missing)
        self._clock = clock

    def create(self, draft: JobDraft, space_id: str, owner: str) -> JobRecord:
        return self.put(
            JobRecord(
                number=self.next_number(),
                id=str(uuid.uuid4()),
                space_id=space_id,
                owner=owner,
                draft=draft,
                created_at=self._clock(),
            )
        )

    def read(self, job_id: str, space_id: str) -> JobRecord:
        """The job as it is.

        Raises:
            Missing: there is none of this id in the space.
        """
        job = self.get(job_id)
        if job.space_id != space_id:
            raise _missing(job_id)
        return job

    def advanced(self, job: JobRecord, scoring: Scoring) -> JobRecord:
        """The job one state further, where it is not still running; `scoring` leads from running to done."""
        if job.state == "queued":
            return self._replaced(job, replace(job, state="running", running_at=self._clock()))
        if job.state == "running":
            return self._replaced(job, self._done(job, scoring))
        return job

    def cancel(self, job_id: str) -> JobRecord:
        """Stop a job that is not done; one that is done stays as it is."""

        def canceled(job: JobRecord) -> JobRecord:
            going = job.state in ("queued", "running")
            return replace(job, state="canceled", completed_at=self._clock()) if going else job

        return self.change(job_id, canceled)

    def _done(self, job: JobRecord, scoring: Scoring) -> JobRecord:
        try:
            predictions = scoring(job)
        except StillRunning:
            return job
        except JobFailed as problem:
            return replace(job, state="failed", failure=str(problem), completed_at=self._clock())
        return replace(job, state="completed", predictions=predictions, completed_at=self._clock())

    def _replaced(self, seen: JobRecord, further: JobRecord) -> JobRecord:
        # Whoever came first, or canceled the job meanwhile, has moved it on already.
        return self.change(seen.id, lambda current: further if current == seen else current)
