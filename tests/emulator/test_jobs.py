"""Batch jobs over plain REST; through IBM's clients they run in test_clients.py."""

from __future__ import annotations

import pytest

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import error_of


@pytest.fixture(scope="module")
def batch(rest, archives):
    return rest.deploy(archives["lookup"], online=None, batch={})


def start(rest, deployment_id, values, **members):
    job = {
        "name": "job",
        "space_id": DEFAULT_SPACE_ID,
        "deployment": {"id": deployment_id},
        "scoring": {"input_data": [{"values": values}]},
    }
    return rest.send("POST", "/ml/v4/deployment_jobs", {**job, **members})


def started(rest, deployment_id, values):
    answer = start(rest, deployment_id, values)
    assert answer.status_code == 202, answer.text
    return answer.json["metadata"]["id"]


def read(rest, job_id, **query):
    return rest.space("GET", f"/ml/v4/deployment_jobs/{job_id}", **query).json


def state(rest, job_id):
    return read(rest, job_id)["entity"]["scoring"]["status"]["state"]


def test_a_job_runs_to_completion(rest, batch):
    """Queued when it is made, then one state further each time that it is asked for."""
    created = start(rest, batch, [0, 2], hardware_spec={"name": "S"}).json
    assert created["entity"]["scoring"]["status"] == {"state": "queued"}
    assert created["entity"]["hardware_spec"] == {"name": "S"}
    job_id = created["metadata"]["id"]
    assert state(rest, job_id) == "running"
    scoring = read(rest, job_id)["entity"]["scoring"]
    assert scoring["status"]["state"] == "completed"
    assert set(scoring["status"]) == {"state", "running_at", "completed_at"}
    assert scoring["predictions"] == [{"id": "value", "values": [10.0, 12.0]}]


def test_only_a_part_of_a_job_is_read(rest, batch):
    """`include` names the members of its scoring."""
    scoring = read(rest, started(rest, batch, [0]), include="status")["entity"]["scoring"]
    assert set(scoring) == {"status"}


def test_data_that_does_not_fit_fails_the_job(rest, batch):
    """The reason is that of an online deployment."""
    job_id = started(rest, batch, [0.5])
    assert state(rest, job_id) == "running"
    status = read(rest, job_id)["entity"]["scoring"]["status"]
    assert status["state"] == "failed"
    assert "takes int64" in status["failure"]["errors"][0]["message"]


def test_jobs_are_listed(rest, batch):
    """Also those of one deployment only."""
    job_id = started(rest, batch, [1])
    listed = rest.space("GET", "/ml/v4/deployment_jobs", deployment_id=batch).json["resources"]
    assert listed[0]["metadata"]["id"] == job_id
    assert rest.space("GET", "/ml/v4/deployment_jobs", deployment_id="none").json["resources"] == []


def test_a_job_is_canceled(rest, batch):
    """It stays, canceled; one that is done stays done."""
    job_id = started(rest, batch, [1])
    assert rest.space("DELETE", f"/ml/v4/deployment_jobs/{job_id}").status_code == 204
    assert state(rest, job_id) == "canceled"
    done = started(rest, batch, [1])
    assert [state(rest, done) for _ in range(2)] == ["running", "completed"]
    rest.space("DELETE", f"/ml/v4/deployment_jobs/{done}")
    assert state(rest, done) == "completed"


def test_a_job_is_forgotten(rest, batch):
    """With hard_delete it is not found any more."""
    job_id = started(rest, batch, [1])
    path = f"/ml/v4/deployment_jobs/{job_id}"
    assert rest.space("DELETE", path, hard_delete="true").status_code == 204
    answer = rest.space("GET", path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "deployment_job_does_not_exist"


def test_a_run_is_deleted_on_the_platform(rest, batch):
    """The way of older versions of Cloud Pak for Data."""
    job_id = started(rest, batch, [1])
    run_id = read(rest, job_id)["entity"]["platform_job"]["run_id"]
    assert rest.space("DELETE", f"/v2/jobs/{job_id}/runs/none").status_code == 400
    assert rest.space("DELETE", f"/v2/jobs/{job_id}/runs/{run_id}").status_code == 204
    assert rest.space("GET", f"/ml/v4/deployment_jobs/{job_id}").status_code == 404


def test_jobs_go_with_their_deployment(rest, archives):
    """They are kept as long as their deployment is."""
    deployment_id = rest.deploy(archives["lookup"], online=None, batch={})
    job_id = started(rest, deployment_id, [0])
    rest.space("DELETE", f"/ml/v4/deployments/{deployment_id}")
    assert rest.space("GET", f"/ml/v4/deployment_jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"name": None}, "invalid_request_entity"),
        ({"deployment": {}}, "invalid_request_entity"),
        ({"scoring": None}, "invalid_request_entity"),
        ({"scoring": {}}, "invalid_input_data"),
        ({"scoring": {"input_data": []}}, "invalid_input_data"),
    ],
)
def test_an_incomplete_job_is_refused(rest, batch, members, code):
    """400 in JSON."""
    answer = start(rest, batch, [0], **members)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == code


def test_an_online_deployment_takes_no_jobs(rest, deployments):
    """400, as for scoring a batch deployment."""
    assert error_of(start(rest, deployments["lookup"], [0]))["code"] == "invalid_deployment_type"


def test_a_failed_deployment_takes_no_jobs(rest):
    """409: it exists, and is not ready."""
    deployment_id = rest.deploy(b"junk", online=None, batch={})
    assert start(rest, deployment_id, [0]).status_code == 409
