"""Deployment spaces over plain REST."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import Rest, error_of


def create(rest, **members):
    created = rest.send("POST", "/v2/spaces", {"name": "mine", **members})
    assert created.status_code == 202, created.text
    return created.json


def test_a_space_is_there_from_the_start(rest):
    """The default space is active and has an instance that computes for it."""
    space = rest.send("GET", f"/v2/spaces/{DEFAULT_SPACE_ID}").json
    assert space["entity"]["status"] == {"state": "active"}
    instance = space["entity"]["compute"][0]
    assert instance["type"] == "machine_learning"
    read = rest.send("GET", f"/ml/v4/instances/{instance['guid']}").json
    assert read["metadata"]["id"] == instance["guid"]
    assert read["entity"]["plan"]["name"] == "lite"


PLATFORM = "https://api.dataplatform.cloud.ibm.com"


def test_in_the_cloud_a_space_has_the_instance_that_it_is_given(own):
    """Made without `compute` it has none; a patch associates one, and takes it away."""
    made = own.send("POST", "/v2/spaces", {"name": "mine"}, host=PLATFORM).json
    path = f"/v2/spaces/{made['metadata']['id']}"
    compute = [{"name": "wml", "crn": "crn:v1:compute"}]

    def patched(operation, member, **value):
        return own.send("PATCH", path, [{"op": operation, "path": member, **value}], host=PLATFORM).json["entity"]

    assert "compute" not in own.send("GET", path, host=PLATFORM).json["entity"]
    guid = patched("add", "/compute", value=compute)["compute"][0]["guid"]
    assert own.send("GET", f"/ml/v4/instances/{guid}").status_code == 200
    assert patched("replace", "/name", value="other")["compute"][0]["guid"] == guid
    assert "compute" not in patched("remove", "/compute")
    given = own.send("POST", "/v2/spaces", {"name": "mine", "compute": compute}, host=PLATFORM).json
    assert given["entity"]["compute"][0]["guid"]


def test_a_cloud_pak_for_data_is_an_instance_itself(own):
    """Its spaces are given none, and have one."""
    assert create(own)["entity"]["compute"][0]["guid"]


def test_spaces_can_be_named(archives):
    """The service starts with the spaces that it is given."""
    with EmbeddedWML(spaces=["11111111-1111-4111-8111-111111111111"]) as app:
        listed = Rest(app).send("GET", "/v2/spaces").json["resources"]
    assert [space["metadata"]["id"] for space in listed] == ["11111111-1111-4111-8111-111111111111"]


def test_a_new_space_is_prepared_and_then_active(own):
    """The answer to the creation says preparing, the next one active."""
    created = create(own, description="for tests", stage={"production": False})
    assert created["entity"]["status"]["state"] == "preparing"
    assert created["entity"]["stage"] == {"production": False}
    assert created["entity"]["members"][0]["role"] == "admin"
    read = own.send("GET", f"/v2/spaces/{created['metadata']['id']}").json
    assert read["entity"]["status"]["state"] == "active"
    assert read["entity"]["description"] == "for tests"


def test_spaces_are_paged_with_absolute_links(own):
    """As recorded: the platform's links have the host."""
    for index in range(3):
        create(own, name=f"space {index}")
    page = own.send("GET", "/v2/spaces", query={"limit": "3"}).json
    assert [space["entity"]["name"] for space in page["resources"]] == ["space 2", "space 1", "space 0"]
    following = urlsplit(page["next"]["href"])
    assert f"{following.scheme}://{following.netloc}" == own.host
    rest_of_it = own.send(
        "GET", following.path, query={name: values[0] for name, values in parse_qs(following.query).items()}
    ).json
    assert [space["metadata"]["id"] for space in rest_of_it["resources"]] == [DEFAULT_SPACE_ID]
    assert "next" not in rest_of_it


def test_spaces_are_found_by_name(own):
    """One client asks by name."""
    space_id = create(own, name="wanted")["metadata"]["id"]
    found = own.send("GET", "/v2/spaces", query={"name": "wanted"}).json["resources"]
    assert [space["metadata"]["id"] for space in found] == [space_id]


def test_a_space_is_patched(own):
    """A JSON patch of name and description; add replaces what is there."""
    space_id = create(own)["metadata"]["id"]
    patch = [
        {"op": "add", "path": "/name", "value": "other"},
        {"op": "replace", "path": "/description", "value": "new"},
    ]
    patched = own.send("PATCH", f"/v2/spaces/{space_id}", patch)
    assert patched.status_code == 200
    assert (patched.json["entity"]["name"], patched.json["entity"]["description"]) == ("other", "new")


def test_a_space_is_deleted_with_its_models(own):
    """202, and then neither is found."""
    space_id = create(own)["metadata"]["id"]
    model_id = own.create_model(space_id=space_id).json["metadata"]["id"]
    assert own.send("DELETE", f"/v2/spaces/{space_id}").status_code == 202
    assert own.send("GET", f"/v2/spaces/{space_id}").status_code == 404
    assert own.space("GET", f"/ml/v4/models/{model_id}").status_code == 404


def test_a_space_with_deployments_stays(own):
    """Deployments must be deleted before their space."""
    own.create_deployment(own.store(b"content"))
    answer = own.send("DELETE", f"/v2/spaces/{DEFAULT_SPACE_ID}")
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "space_has_deployments"


CODED = "cccccccc-0000-4000-8000-000000000003"


def test_any_space_that_is_named_can_be_made(archives):
    """Where that is chosen: looked at, or named by what is stored in it; each with one warning."""
    with EmbeddedWML(any_space=True) as app:
        rest = Rest(app)
        space = rest.send("GET", f"/v2/spaces/{CODED}").json
        assert (space["metadata"]["id"], space["entity"]["status"]["state"]) == (CODED, "active")
        assert rest.create_model(space_id=CODED.replace("c", "d")).status_code == 201
        rest.send("GET", f"/v2/spaces/{CODED}")
        assert [CODED in warning for warning in app.warnings] == [True, False]


@pytest.mark.parametrize("space", ["my space", CODED[:-1], "", CODED])
def test_what_is_no_space_stays_refused(archives, space):
    """A name, part of an id; a space that has been deleted; any in a service that was not told to make them."""
    with EmbeddedWML(any_space=True) as app:
        rest = Rest(app)
        if space == CODED:
            rest.send("GET", f"/v2/spaces/{CODED}")
            assert rest.send("DELETE", f"/v2/spaces/{CODED}").status_code == 202
        assert rest.create_model(space_id=space).status_code in (400, 404)
    with EmbeddedWML() as app:
        assert Rest(app).send("GET", f"/v2/spaces/{CODED}").status_code == 404


def test_a_project_is_no_space(archives):
    """The service has no projects; none is made."""
    with EmbeddedWML(any_space=True) as app:
        assert Rest(app).send("GET", "/ml/v4/models", query={"project_id": CODED}).status_code == 501


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_space_is_not_found(rest, method):
    """404 in JSON for each method."""
    answer = rest.send(method, "/v2/spaces/none", [{"op": "remove", "path": "/description"}])
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "space_does_not_exist"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 7}, [], {"name": None}])
def test_a_space_without_a_name_is_refused(rest, body):
    """400, whatever is there instead."""
    assert rest.send("POST", "/v2/spaces", body).status_code == 400


def test_an_unknown_instance_is_not_found(rest):
    """404 in JSON."""
    assert error_of(rest.send("GET", "/ml/v4/instances/none"))["code"] == "instance_does_not_exist"
