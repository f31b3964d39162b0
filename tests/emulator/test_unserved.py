"""What IBM's service may serve and the embedded one does not: 501, in words that nobody takes for IBM's."""

from __future__ import annotations

import pytest

from pytest_wml.emulator.routes import shown, unserved
from pytest_wml.wml.hosts import Role
from tests.emulator.rest import error_of

ID = "8d1f6f2e-3c1b-4f5e-9a55-0d8a4c1b2e3f"
US_SOUTH = "https://us-south.ml.cloud.ibm.com"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/package_extensions"),
        ("GET", "/ml/v4/trainings"),
        ("POST", "/ml/v4/ai_services"),
        ("PUT", "/ml/v4/models"),
        ("GET", "/"),
        ("GET", "/ml/v4/models/a/b/c"),
    ],
)
def test_what_is_not_served_names_who_does_not_serve_it(rest, method, path):
    """501 for an unknown path and for an unknown method of a known path, with a pointer to what is served."""
    answer = rest.space(method, path)
    assert answer.status_code == 501
    assert error_of(answer) == {
        "code": "not_served_by_pytest_wml",
        "message": f"pytest-wml's embedded service does not serve {method} {path}. "
        "Its documentation lists what it serves: FIDELITY.md.",
    }


def test_no_token_is_needed_to_learn_that_something_is_not_served(rest):
    """The reason is not the token."""
    assert rest.send("GET", "/v2/projects", token=None).status_code == 501


def test_a_secret_in_the_query_is_not_repeated(rest):
    """Only method and path are."""
    answer = rest.send("GET", "/v2/catalogs", query={"apikey": "s3cret"})
    assert "s3cret" not in answer.text


def test_iam_says_so_too(rest):
    """As every host does."""
    answer = rest.send("GET", "/v1/apikeys/details", host="https://iam.cloud.ibm.com")
    assert answer.status_code == 501
    assert "does not serve GET /v1/apikeys/details" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            f"/v2/software_specifications/{ID}/package_extensions/{ID}",
            "/v2/software_specifications/{id}/package_extensions/{id}",
        ),
        ("/v2/spaces/s/members/somebody@example.com", "/v2/spaces/s/members/{id}"),
        ("/v2/asset_files/" + "0123456789" * 4 + "/a.csv", "/v2/asset_files/{id}/a.csv"),
        ("/a\x1b[2J", "/a?[2J"),
        ("/" + "a" * 200, "/" + "a" * 119 + "…"),
    ],
)
def test_a_path_is_shown_without_ids(path, expected):
    """Ids and names of users are left out, control characters replaced, and a long path is cut."""
    assert shown(path) == expected


@pytest.mark.parametrize(
    ("role", "method", "path", "place"),
    [
        (Role.ML, "GET", "/v2/spaces", "hosts of the platform"),
        (Role.PLATFORM, "GET", "/ml/v4/models", "hosts of machine learning"),
        (Role.IAM, "GET", "/v2/spaces", "hosts of the platform"),
        (Role.ML, "POST", "/icp4d-api/v1/authorize", "hosts of Cloud Pak for Data"),
        (Role.STORAGE, "GET", "/v2/spaces", "hosts of the platform"),
    ],
)
def test_a_request_to_another_host_is_told_the_right_one(role, method, path, place):
    """Each host of IBM Cloud answers for its own routes."""
    reason = unserved(role, method, path)
    assert reason.code == "not_found"
    assert f"pytest-wml's embedded service serves {method} {path} at {place}" in reason.message


def test_a_request_to_another_host_is_not_found(rest):
    """404: IBM's host has no such path either."""
    assert rest.send("GET", "/v2/spaces", host=US_SOUTH).status_code == 404


@pytest.mark.parametrize(
    ("path", "members", "what"),
    [
        ("/ml/v4/deployments", {"r_shiny": {}, "online": None}, None),
        ("/ml/v4/deployments", {"r_shiny": {"authentication": "any"}}, "Shiny apps ('r_shiny')"),
        ("/ml/v4/deployments", {"base_model_id": "ibm/granite"}, "foundation models ('base_model_id')"),
        ("/ml/v4/deployments", {"prompt_template": {"id": "p"}}, "prompt templates ('prompt_template')"),
        ("/ml/v4/models", {"content_location": {"type": "s3"}}, "models whose content is fetched from elsewhere"),
        ("/ml/v4/deployment_jobs", {"decision_optimization": {"input_data": []}}, "jobs of Decision Optimization"),
        ("/ml/v4/deployment_jobs", {"scoring": {"input_data_references": [{}]}}, "jobs whose data is elsewhere"),
        ("/ml/v4/deployment_jobs", {"scoring": {"output_data_reference": {"type": "data_asset"}}}, "written elsewhere"),
    ],
)
def test_a_document_that_only_ibms_service_acts_on_is_not_served(rest, path, members, what):
    """501 and the member, never a success that ignores it; an empty member asks for nothing."""
    answer = rest.space("POST", path, {"name": "n", "type": "tensorflow_2.14", **members})
    if what is None:
        assert answer.status_code == 400
        return
    assert answer.status_code == 501
    assert error_of(answer)["message"].startswith("pytest-wml's embedded service does not serve ")
    assert what in error_of(answer)["message"]


@pytest.mark.parametrize("method_and_path", ["GET /ml/v4/models", "GET /ml/v4/deployments", "POST /ml/v4/models"])
def test_projects_are_not_served(rest, method_and_path):
    """The words are not those for a space that does not exist."""
    method, path = method_and_path.split()
    answer = rest.send(method, path, {"name": "n", "project_id": ID}, query={"project_id": ID})
    assert answer.status_code == 501
    assert "does not serve projects. It has deployment spaces only" in error_of(answer)["message"]


@pytest.mark.parametrize("model_type", ["pmml_4.2.1", "spss-modeler_18.2", "wml-hybrid_0.1", "do-docplex_20.1"])
def test_a_model_that_is_not_run_fails_its_deployment(rest, model_type):
    """It is stored as IBM's service stores it; the failure names who does not run it."""
    spec = {"pmml": "pmml-3.0_4.3", "spss": "spss-modeler_18.2", "wml-": "hybrid_0.1", "do-d": "do_20.1"}[
        model_type[:4]
    ]
    model_id = rest.create_model(type=model_type, software_spec={"name": spec}).json["metadata"]["id"]
    rest.upload(model_id, b"content")
    deployment_id = rest.create_deployment(model_id).json["metadata"]["id"]
    failure = rest.deployment(deployment_id)["entity"]["status"]["failure"]["errors"][0]["message"]
    assert failure.startswith("pytest-wml's embedded service does not run models of type ")


@pytest.mark.parametrize("path", ["/wx/v1-beta/prompts/x", "/wx/v1/prompts/x", "/ml/v4/pipelines/x"])
def test_what_clients_try_by_habit_is_not_found(rest, path):
    """404: both clients take anything else for an answer."""
    assert rest.space("GET", path).status_code == 404
