"""Batch jobs with inline data."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.bodies import rfc3339
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.handlers.predictions import input_data_of
from pytest_wml.emulator.refusals import UnprocessableEntity
from pytest_wml.emulator.state.jobs import JobDraft, JobRecord

_UNSERVED = {"decision_optimization": "jobs of Decision Optimization"}
_UNSERVED_SCORING = {
    "input_data_references": "jobs whose data is elsewhere",
    "output_data_reference": "jobs whose answers are written elsewhere",
    "evaluations": "jobs with evaluations",
}
_OWN_MEMBERS = ("name", "space_id", "project_id", "scoring", "deployment", "platform_job")


def create(call: Call) -> Response:
    """A new job, `queued`; each look moves it on by one state, as soon as it was scored."""
    body = call.json_object()
    space_id = call.space_id(body)
    job = call.service.batch.start(_draft(body), space_id, call.owner, call.token)
    return answer(202, _document(call, job))


def listing(call: Call) -> Response:
    space_id, deployment_id = call.space_id(), call.query("deployment_id")
    found = call.service.jobs.find(
        lambda job: job.space_id == space_id and deployment_id in (None, job.draft.deployment_id)
    )
    page, lead = call.page(found)
    return answer(200, {**lead, "resources": [_document(call, job) for job in call.service.batch.advance(page)]})


def read(call: Call, job_id: str) -> Response:
    (job,) = call.service.batch.advance([call.service.jobs.read(job_id, call.space_id())])
    return answer(200, _document(call, job))


def delete(call: Call, job_id: str) -> Response:
    """Cancel a job; forget it with `hard_delete`."""
    job = call.service.jobs.read(job_id, call.space_id())
    if call.query("hard_delete") == "true":
        call.service.batch.drop(job.id)
    else:
        call.service.batch.cancel(job.id)
    return answer(204)


def delete_run(call: Call, job_id: str, run_id: str) -> Response:
    """The platform's way to forget a job, which one client takes for older versions of Cloud Pak for Data."""
    job = call.service.jobs.read(job_id, call.space_id())
    if job.run_id != run_id:
        raise UnprocessableEntity(f"'{run_id}' is no run of job '{job_id}'.")
    call.service.batch.drop(job.id)
    return answer(204)


def _draft(body: dict[str, Any]) -> JobDraft:
    bodies.refuse_members(body, _UNSERVED)
    scoring = bodies.mapping(body, "scoring")
    if scoring is None:
        raise UnprocessableEntity("Field 'scoring' is required.")
    bodies.refuse_members(scoring, _UNSERVED_SCORING)
    return JobDraft(
        name=bodies.required_text(body, "name"),
        deployment_id=bodies.required_text(bodies.mapping(body, "deployment") or {}, "id"),
        input_data=input_data_of(scoring),
        entity={name: value for name, value in body.items() if name not in _OWN_MEMBERS},
    )


def _document(call: Call, job: JobRecord) -> dict[str, Any]:
    scoring = {"input_data": job.draft.input_data, "status": _status(job)}
    if job.predictions is not None:
        scoring["predictions"] = job.predictions
    included = call.query("include")
    if included:
        scoring = {name: value for name, value in scoring.items() if name in included.split(",")}
    entity = {
        **job.draft.entity,
        "deployment": {"id": job.draft.deployment_id},
        "platform_job": {"job_id": job.platform_job_id, "run_id": job.run_id},
        "scoring": scoring,
    }
    metadata = {
        "created_at": rfc3339(job.created_at),
        "id": job.id,
        "name": job.draft.name,
        "owner": job.owner,
        "space_id": job.space_id,
    }
    return {"entity": entity, "metadata": metadata}


def _status(job: JobRecord) -> dict[str, Any]:
    status: dict[str, Any] = {"state": job.state}
    if job.running_at is not None:
        status["running_at"] = rfc3339(job.running_at)
    if job.completed_at is not None:
        status["completed_at"] = rfc3339(job.completed_at)
    if job.failure:
        error = {"code": "invalid_input_data", "message": job.failure}
        status["failure"] = {"trace": job.id.replace("-", ""), "errors": [error]}
    return status
