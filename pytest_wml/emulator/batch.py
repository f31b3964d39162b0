"""Batch jobs: each is scored in a thread of its own, so that a look at it is answered while that goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from pytest_wml.emulator.runtimes.protocol import BadInput, ScoringFailed
from pytest_wml.emulator.scorers import Scorers
from pytest_wml.emulator.service_warnings import ServiceWarnings
from pytest_wml.emulator.state.deployments import DeploymentRegistry, check_kind, check_not_failed
from pytest_wml.emulator.state.jobs import JobDraft, JobFailed, JobRecord, JobRegistry, Predictions, StillRunning
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.tokens import Tokens
from pytest_wml.model.serving import LoadFailed

_AT_ONCE = 8
"""Jobs that are scored at a time: a list of jobs may begin a hundred."""
_PATIENCE = 3.0
"""Seconds that a look at jobs waits for those that are being scored: most are done by then."""


class Batch:
    """Makes, scores and deletes the jobs of batch deployments.

    Args:
        jobs: as they are shown.
        deployments: whose jobs they are.
        scorers: score them.
        journal: of both.
        warnings: about the answers.
        tokens: makes one for a job whose own was lost with the process that got it.
    """

    def __init__(
        self,
        jobs: JobRegistry,
        deployments: DeploymentRegistry,
        scorers: Scorers,
        journal: StateJournal,
        warnings: ServiceWarnings,
        tokens: Tokens,
    ) -> None:
        self._jobs = jobs
        self._deployments = deployments
        self._scorers = scorers
        self._journal = journal
        self._warnings = warnings
        self._tokens = tokens
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        # In memory only: a token must not reach the data folder.
        self._tokens_of_jobs: dict[str, str] = {}
        self._scorings: dict[str, Future[Predictions]] = {}

    def start(self, draft: JobDraft, space_id: str, owner: str, token: str) -> JobRecord:
        """A new job of a batch deployment, `queued`; its model may still be being loaded.

        Args:
            token: of the request, for a function that takes one.

        Raises:
            Missing: there is no such deployment in the space.
            Invalid: it is online.
            Conflict: its model cannot be served.
        """
        deployment = self._deployments.locate(draft.deployment_id, space_id)
        check_kind(deployment, "batch")
        check_not_failed(self._deployments.look(deployment))
        with self._journal:
            self._deployments.get(deployment.id)
            job = self._jobs.create(draft, space_id, owner)
        with self._lock:
            self._tokens_of_jobs[job.id] = token
        return job

    def advance(self, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        """Jobs, each one state further; those that take long to score are still running."""
        until = time.monotonic() + _PATIENCE
        for job in jobs:
            if job.state == "running":
                self._begin(job)
        return [self._advanced(job, until) for job in jobs]

    def cancel(self, job_id: str) -> None:
        """Stop a job that is not done."""
        self._jobs.cancel(job_id)
        self._forget(job_id)

    def drop(self, job_id: str) -> None:
        """Delete a job."""
        self._jobs.drop(job_id)
        self._forget(job_id)

    def _advanced(self, job: JobRecord, until: float) -> JobRecord:
        further = self._jobs.advanced(job, lambda job: self._result(job, until))
        if further.state == "running":
            self._begin(further)
        else:
            self._forget(job.id)
        return further

    def _begin(self, job: JobRecord) -> Future[Predictions]:
        with self._lock:
            scoring = self._scorings.get(job.id)
            if scoring is None:
                scoring = self._scorings[job.id] = Future()
                token = self._tokens_of_jobs.pop(job.id, None) or self._tokens.issue({"sub": job.owner}).text
                threading.Thread(target=self._run, args=(job, token, scoring), name="wml-job", daemon=True).start()
            return scoring

    def _result(self, job: JobRecord, until: float) -> Predictions:
        scoring = self._begin(job)
        try:
            scoring.exception(max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise StillRunning from None
        return scoring.result()

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._tokens_of_jobs.pop(job_id, None)
            self._scorings.pop(job_id, None)

    def _run(self, job: JobRecord, token: str, scoring: Future[Predictions]) -> None:
        try:
            with self._at_once:
                scoring.set_result(self._scored(job, token))
        except BaseException as problem:  # noqa: BLE001 raised again where the job is looked at
            scoring.set_exception(problem)

    def _scored(self, job: JobRecord, token: str) -> Predictions:
        deployment = self._deployments.get(job.draft.deployment_id)
        payload = {"input_data": job.draft.input_data}
        try:
            document = self._scorers.answer(deployment.served, payload, token)
        except BadInput as problem:
            raise JobFailed(f"Bad input. {problem}") from problem
        except (ScoringFailed, LoadFailed) as problem:
            raise JobFailed(str(problem)) from problem
        self._warnings.check_rows(deployment.id, deployment.draft.name, payload, document)
        # What a function returns need not have predictions.
        return document.get("predictions", document) if isinstance(document, dict) else document
