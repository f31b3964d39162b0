"""Deployments over plain REST."""

from __future__ import annotations

import pytest

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import error_of


@pytest.fixture
def model_id(rest, archives):
    return rest.store(archives["lookup"])


def patch(rest, deployment_id, *operations):
    return rest.space("PATCH", f"/ml/v4/deployments/{deployment_id}", list(operations))


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def made(rest, model_id, **members):
    created = rest.create_deployment(model_id, **members)
    assert created.status_code == 202, created.text
    return created.json["metadata"]["id"]


def test_a_deployment_is_initializing_when_it_is_made(rest, model_id):
    """Also where its model is loaded already; the next look says ready."""
    rest.deployment(made(rest, model_id))
    created = rest.create_deployment(model_id)
    status = created.json["entity"]["status"]
    deployment_id = created.json["metadata"]["id"]
    assert status == {
        "state": "initializing",
        "online_url": {"url": f"{rest.host}/ml/v4/deployments/{deployment_id}/predictions"},
    }
    assert rest.look(deployment_id)["entity"]["status"]["state"] == "ready"


def test_a_deployment_never_shows_system(rest, model_id):
    """Both clients read the first warning of it, there or not."""
    deployment_id = made(rest, model_id)
    assert "system" not in rest.deployment(deployment_id)


def test_what_was_asked_for_is_shown(rest, model_id):
    """Description and tags in the metadata, the rest in the entity."""
    deployment = rest.deployment(
        made(
            rest,
            model_id,
            description="d",
            tags=["a"],
            custom={"x": 1},
            hardware_spec={"name": "M", "num_nodes": 2},
        )
    )
    assert deployment["metadata"]["description"] == "d"
    assert deployment["metadata"]["tags"] == ["a"]
    assert deployment["entity"]["custom"] == {"x": 1}
    assert deployment["entity"]["hardware_spec"]["name"] == "M"
    assert deployment["entity"]["hardware_spec"]["num_nodes"] == 2


def test_a_batch_deployment_has_no_place_to_score(rest, model_id):
    """Only its state, as recorded."""
    deployment_id = made(rest, model_id, online=None, batch={})
    deployment = rest.deployment(deployment_id)
    assert deployment["entity"]["batch"] == {}
    assert deployment["entity"]["status"] == {"state": "ready"}
    answer = rest.score(deployment_id, {"values": [1]})
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_deployment_type"


@pytest.mark.parametrize(
    "members",
    [
        {"name": None},
        {"name": "  "},
        {"asset": {}},
        {"asset": "id"},
        {"online": None},
        {"online": {}, "batch": {}},
        {"online": []},
        {"online": {"parameters": []}},
        {"hardware_spec": {"name": "XXXL"}},
        {"hardware_spec": {"name": "S", "num_nodes": 0}},
        {"hardware_spec": {"name": "S", "num_nodes": True}},
        {"custom": "x"},
    ],
)
def test_an_incomplete_deployment_is_refused(rest, model_id, members):
    """400 in JSON."""
    answer = rest.create_deployment(model_id, **members)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_request_entity"


def test_an_unknown_model_cannot_be_deployed(rest):
    """404, as for the model itself."""
    answer = rest.create_deployment("none")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "model_does_not_exist"


def test_an_unknown_revision_cannot_be_deployed(rest, model_id):
    """404 for the revision."""
    answer = rest.create_deployment(model_id, asset={"id": model_id, "rev": "7"})
    assert error_of(answer)["code"] == "model_revision_does_not_exist"


@pytest.mark.parametrize("name", ["", "Upper", "with-dash", "ä", "x" * 37, 7])
def test_a_bad_serving_name_is_refused(rest, model_id, name):
    """With the recorded code and words."""
    answer = rest.create_deployment(model_id, online={"parameters": {"serving_name": name}})
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["code"] == "invalid_serving_name"
    assert error["message"].startswith("Field 'serving_name' is either blank or has invalid characters")


def test_a_serving_name_is_taken_once(own):
    """409, whoever asks next, until it is free again."""
    model_id = own.store(b"content")
    first = made(own, model_id, online={"parameters": {"serving_name": "digits"}})
    second = own.create_deployment(model_id, online={"parameters": {"serving_name": "digits"}})
    assert second.status_code == 409
    assert error_of(second)["code"] == "serving_name_already_exists"
    own.space("DELETE", f"/ml/v4/deployments/{first}")
    made(own, model_id, online={"parameters": {"serving_name": "digits"}})


def test_a_serving_name_can_be_asked_for(own):
    """204 when it is free, 409 when it is taken; no space is named."""
    query = {"serving_name": "digits", "conflict": "true"}
    assert own.send("GET", "/ml/v4/deployments", query=query).status_code == 204
    made(own, own.store(b"content"), online={"parameters": {"serving_name": "digits"}})
    assert own.send("GET", "/ml/v4/deployments", query=query).status_code == 409


def test_a_serving_name_is_a_place_to_score(rest, model_id):
    """It is shown beside the id, and marked."""
    deployment_id = made(rest, model_id, online={"parameters": {"serving_name": "lookup_table"}})
    place = f"{rest.host}/ml/v4/deployments/lookup_table/predictions"
    status = rest.deployment(deployment_id)["entity"]["status"]
    assert status["serving_urls"][1] == place
    assert status["inference"][1] == {"url": place, "uses_serving_name": True}
    assert rest.score("lookup_table", {"values": [0]}).json["predictions"][0]["values"] == [10]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["c", "b", "a"]),
        ({"name": "a"}, ["a"]),
        ({"serving_name": "serving_b"}, ["b"]),
        ({"state": "failed"}, ["c", "b", "a"]),
        ({"state": "ready"}, []),
        ({"type": "batch"}, ["c"]),
        ({"type": "model"}, ["c", "b", "a"]),
        ({"tag.value": "x"}, ["b", "a"]),
        ({"tag.value": "x", "name": "b"}, ["b"]),
        ({"asset_id": "none"}, []),
        ({"limit": "2"}, ["c", "b"]),
    ],
)
def test_deployments_are_filtered(own, query, found):
    """By asset, name, serving name, state, type and tag, all at once."""
    model_id = own.store(b"no archive")
    made(own, model_id, name="a", tags=["x", "y"])
    made(own, model_id, name="b", tags=["x"], online={"parameters": {"serving_name": "serving_b"}})
    own.deployment(made(own, model_id, name="c", online=None, batch={}))
    listed = own.space("GET", "/ml/v4/deployments", **query).json["resources"]
    assert [deployment["entity"]["name"] for deployment in listed] == found


def test_a_name_is_patched_at_once(rest, model_id):
    """200, and the modification time moves."""
    deployment_id = made(rest, model_id)
    before = rest.deployment(deployment_id)
    answer = patch(rest, deployment_id, replace("/name", "new"), replace("/tags", ["t"]))
    assert answer.status_code == 200
    assert answer.json["entity"]["name"] == answer.json["metadata"]["name"] == "new"
    assert answer.json["metadata"]["tags"] == ["t"]
    assert answer.json["metadata"]["modified_at"] >= before["metadata"]["modified_at"]


def test_hardware_is_patched_later(rest, model_id):
    """202."""
    answer = patch(rest, made(rest, model_id), replace("/hardware_spec", {"name": "M", "num_nodes": 2}))
    assert answer.status_code == 202
    assert answer.json["entity"]["hardware_spec"]["name"] == "M"


def test_a_serving_name_is_patched(own):
    """202, and 409 for one that is taken."""
    model_id = own.store(b"content")
    made(own, model_id, online={"parameters": {"serving_name": "taken"}})
    deployment_id = made(own, model_id)
    operation = {"op": "add", "path": "/online/parameters", "value": {"serving_name": "free"}}
    assert patch(own, deployment_id, operation).status_code == 202
    assert patch(own, deployment_id, operation).status_code == 202
    answer = patch(own, deployment_id, replace("/online/parameters", {"serving_name": "taken"}))
    assert answer.status_code == 409


def test_an_asset_is_patched_later(rest, model_id, archives):
    """202 and updating, then ready with what the other model answers."""
    deployment_id = made(rest, model_id)
    other = rest.store(archives["words"])
    answer = patch(rest, deployment_id, replace("/asset", {"id": other}))
    assert answer.status_code == 202
    assert answer.json["entity"]["status"]["state"] == "updating"
    assert rest.deployment(deployment_id)["entity"]["status"]["state"] == "ready"
    assert rest.score(deployment_id, {"values": ["a"]}).json["predictions"][0]["id"] == "shouted"


def test_an_asset_is_patched_alone(rest, model_id):
    """400 together with anything else."""
    answer = patch(rest, made(rest, model_id), replace("/asset", {"id": model_id}), replace("/name", "new"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "operation",
    [
        replace("/asset", {"id": "none"}),
        replace("/asset", {}),
        replace("/status/state", "ready"),
        replace("/space_id", "other"),
        replace("/online/parameters", {"serving_name": "Bad Name"}),
        {"op": "remove", "path": "/asset"},
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(rest, model_id, operation):
    """The deployment is as it was."""
    deployment_id = made(rest, model_id)
    before = rest.deployment(deployment_id)
    assert patch(rest, deployment_id, operation).status_code in (400, 404)
    assert rest.deployment(deployment_id) == before


def test_new_content_needs_a_new_deployment(rest, model_id, archives):
    """What is deployed stays deployed when the model is uploaded anew."""
    deployment_id = made(rest, model_id)
    rest.upload(model_id, archives["words"].read_bytes())
    assert rest.score(deployment_id, {"values": [0]}).json["predictions"][0]["id"] == "value"


def test_a_deployment_belongs_to_its_space(rest, model_id):
    """In another space it is not found."""
    deployment_id = made(rest, model_id)
    other = rest.send("POST", "/v2/spaces", {"name": "other"}).json["metadata"]["id"]
    path = f"/ml/v4/deployments/{deployment_id}"
    assert rest.send("GET", path, query={"space_id": other}).status_code == 404
    assert rest.send("DELETE", path, query={"space_id": other}).status_code == 404
    assert rest.send("GET", path, query={"space_id": DEFAULT_SPACE_ID}).status_code == 200


def test_a_deleted_deployment_is_gone(rest, model_id):
    """204 once, then 404, also for scoring."""
    deployment_id = made(rest, model_id)
    path = f"/ml/v4/deployments/{deployment_id}"
    answer = rest.space("DELETE", path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert rest.space("DELETE", path).status_code == 404
    assert rest.score(deployment_id, {"values": [0]}).status_code == 404
