"""Stored models over plain REST."""

from __future__ import annotations

import io

import pytest

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import SPEC, TYPE, error_of

RT_24_1 = "45f12dfe-aa78-5b8d-9f38-0ee223c47309"


@pytest.mark.parametrize("spec", [{"id": RT_24_1}, {"name": "runtime-24.1-py3.11"}, RT_24_1])
def test_a_specification_is_given_by_id_or_name(rest, spec):
    """The clients and the curl examples write it in three ways."""
    created = rest.create_model(software_spec=spec)
    assert created.status_code == 201
    assert created.json["entity"]["software_spec"] == {"id": RT_24_1, "name": "runtime-24.1-py3.11"}


def test_both_names_of_a_type_are_taken(rest):
    """By the framework's version and by the runtime's."""
    assert rest.create_model(type="tensorflow_rt24.1").status_code == 201


def test_the_space_may_be_in_the_query_only(rest):
    """One form of the older client's body has no space."""
    body = {"name": "m", "type": TYPE, "software_spec": SPEC}
    assert rest.space("POST", "/ml/v4/models", body).status_code == 201


def test_what_is_not_read_is_kept(rest):
    """Members of the entity come back as they were sent."""
    created = rest.create_model(custom={"team": "x"}, label_column="y", description="d", tags=["a"]).json
    assert created["entity"]["custom"] == {"team": "x"}
    assert created["entity"]["label_column"] == "y"
    assert created["metadata"]["description"] == "d"
    assert created["metadata"]["tags"] == ["a"]


def test_a_cloud_pak_shows_less_than_the_cloud(rest):
    """As recorded: no resource key and no hybrid specifications."""
    created = rest.create_model().json
    assert "resource_key" not in created["metadata"]
    assert set(created["entity"]) == {"type", "software_spec"}
    path = f"/ml/v4/models/{created['metadata']['id']}"
    cloud = rest.send("GET", path, query={"space_id": DEFAULT_SPACE_ID}, host="https://eu-de.ml.cloud.ibm.com").json
    assert cloud["metadata"]["resource_key"]
    assert cloud["entity"]["hybrid_pipeline_software_specs"] == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"software_spec": {"id": "none"}}, "Unsupported software specification 'none'."),
        ({"software_spec": {}}, "Field 'software_spec' is required."),
        ({"software_spec": {"name": "default_py3.7"}}, "Unsupported software specification 'default_py3.7'."),
        (
            {"type": "mllib_3.4"},
            "Unsupported model type and software specification combination: 'mllib_3.4' and 'runtime-24.1-py3.11'",
        ),
        ({"type": None}, "Field 'type' is required."),
        ({"type": 7}, "Field 'type' must be a string."),
        ({"name": ""}, "Field 'name' is required."),
        ({"tags": "a"}, "Field 'tags' must be a list."),
    ],
)
def test_a_model_that_cannot_be_served_is_refused(rest, members, message):
    """400 with the recorded code, words and status in the body."""
    answer = rest.create_model(**members)
    assert answer.status_code == 400
    assert answer.json["status_code"] == "400"
    error = error_of(answer)
    assert error["code"] == "invalid_request_entity"
    assert error["message"].startswith(f"Invalid request entity: {message}")
    assert error["more_info"] == "https://cloud.ibm.com/apidocs/machine-learning"


def test_an_unknown_space_is_refused(rest):
    """404, as for the space itself."""
    assert error_of(rest.create_model(space_id="none"))["code"] == "space_does_not_exist"


def test_a_missing_space_is_refused(rest):
    """Either a space or a project has to be given."""
    answer = rest.send("GET", "/ml/v4/models")
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "missing_space_or_project"


@pytest.mark.parametrize("version", ["", "today", "2020-1-1"])
def test_a_version_that_is_no_date_is_refused(rest, version):
    """The API's version is a date, any date."""
    answer = rest.space("GET", "/ml/v4/models", version=version)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_version"


def test_a_missing_version_is_refused(rest):
    """The documentation says that it is required."""
    headers = {"Authorization": f"Bearer {rest.token}"}
    answer = rest.http.get("/ml/v4/models", base_url=rest.host, headers=headers)
    assert error_of(answer)["code"] == "missing_version"


def test_content_is_kept_byte_for_byte(rest):
    """A download is what was uploaded, whatever it was."""
    content = bytes(range(256)) * 5000
    model_id = rest.store(content)
    down = rest.space("GET", f"/ml/v4/models/{model_id}/download")
    assert down.data == content
    assert down.content_type == "application/octet-stream"
    assert down.content_length == len(content)


def test_content_may_come_without_a_length(rest):
    """A body in chunks ends where the server says that it ends."""
    model_id = rest.create_model().json["metadata"]["id"]
    stream = io.BytesIO(b"in chunks")
    answer = rest.http.put(
        f"/ml/v4/models/{model_id}/content",
        base_url=rest.host,
        query_string={"space_id": DEFAULT_SPACE_ID, "version": "2020-08-01"},
        headers={"Authorization": f"Bearer {rest.token}", "Transfer-Encoding": "chunked"},
        input_stream=stream,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 201
    assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == b"in chunks"


def test_an_upload_is_acknowledged(rest):
    """201 with the recorded members; the model's modification time moves."""
    model_id = rest.create_model().json["metadata"]["id"]
    answer = rest.upload(model_id, b"content")
    assert answer.status_code == 201
    assert answer.json["persisted"] is True
    assert answer.json["content_format"] == "native"
    listed = rest.space("GET", f"/ml/v4/models/{model_id}/content").json
    assert listed["total_count"] == 1
    assert listed["attachments"][0]["attachment_id"] == answer.json["attachment_id"]


def test_empty_content_is_refused(rest):
    """IBM's client sends it when it repeats an upload, and must not take it for stored."""
    model_id = rest.create_model().json["metadata"]["id"]
    answer = rest.upload(model_id, b"")
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "empty_content"
    assert rest.space("GET", f"/ml/v4/models/{model_id}/download").status_code == 404


class BrokenOff(io.BytesIO):
    """How a server shows a body in chunks whose last one never came."""

    def read(self, size=-1):
        if piece := super().read(size):
            return piece
        raise OSError("Invalid chunk header")


@pytest.mark.parametrize(
    ("stream", "environ"),
    [
        (io.BytesIO(b"half"), {"CONTENT_LENGTH": "1000"}),
        (BrokenOff(b"half"), {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}),
    ],
    ids=["length", "chunked"],
)
def test_an_upload_that_breaks_off_changes_nothing(rest, stream, environ):
    """What was there before stays, whole."""
    model_id = rest.store(b"before")
    answer = rest.http.put(
        f"/ml/v4/models/{model_id}/content",
        base_url=rest.host,
        query_string={"space_id": DEFAULT_SPACE_ID, "version": "2020-08-01"},
        headers={"Authorization": f"Bearer {rest.token}"},
        input_stream=stream,
        environ_overrides=environ,
    )
    assert answer.status_code == 400
    error_of(answer)
    assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == b"before"


def test_content_of_an_unknown_model_is_not_taken(rest):
    """404 before anything is stored."""
    assert error_of(rest.upload("none", b"content"))["code"] == "model_does_not_exist"


def test_a_pmml_document_is_stored_and_its_deployment_says_why_it_fails(rest):
    """It is no archive, and is not looked into."""
    model_id = rest.store(b"<PMML/>", type="pmml_4.2.1", software_spec={"name": "pmml-3.0_4.3"})
    deployment_id = rest.create_deployment(model_id).json["metadata"]["id"]
    status = rest.deployment(deployment_id)["entity"]["status"]
    assert status["state"] == "failed"
    words = "pytest-wml's embedded service does not run models of type 'pmml'; the live service may."
    assert status["failure"]["errors"][0]["message"] == words


def test_models_are_paged(own):
    """Newest first; the link to the next page has all that is needed, the version and the space too."""
    names = [f"model {index}" for index in range(5)]
    for name in names:
        own.create_model(name=name)
    seen, path, query = [], "/ml/v4/models", {"space_id": DEFAULT_SPACE_ID, "limit": "2"}
    while path:
        page = own.send("GET", path, query=query).json
        seen += [model["metadata"]["name"] for model in page["resources"]]
        path, query = page.get("next", {}).get("href"), {}
    assert seen == names[::-1]


def test_pages_hold_while_models_come_and_go(own):
    """A model that is new or gone moves nobody to another page."""
    ids = [own.create_model().json["metadata"]["id"] for _ in range(4)]
    page = own.space("GET", "/ml/v4/models", limit="2").json
    own.create_model()
    own.space("DELETE", f"/ml/v4/models/{ids[3]}")
    following = own.send("GET", page["next"]["href"]).json
    assert [model["metadata"]["id"] for model in following["resources"]] == [ids[1], ids[0]]


def test_a_further_page_needs_no_version(own):
    """One client sends only what the link holds."""
    for _ in range(2):
        own.create_model()
    link = own.space("GET", "/ml/v4/models", limit="1").json["next"]["href"]
    answer = own.http.get(
        link.replace("version=2020-08-01&", ""),
        base_url=own.host,
        headers={"Authorization": f"Bearer {own.token}"},
    )
    assert answer.status_code == 200


def test_the_total_is_told_when_it_is_asked_for(own):
    """As documented, to spare the effort otherwise."""
    for _ in range(3):
        own.create_model()
    assert own.space("GET", "/ml/v4/models", total_count="true", limit="1").json["total_count"] == 3
    assert "total_count" not in own.space("GET", "/ml/v4/models").json


@pytest.mark.parametrize("limit", ["0", "201", "-1", "two", "1" * 100, "²"])
def test_a_limit_out_of_bounds_is_refused(rest, limit):
    """From 1 to 200."""
    answer = rest.space("GET", "/ml/v4/models", limit=limit)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_limit"


def test_a_model_is_patched(rest):
    """Paths are flat, also of what stands in the metadata; commit_info tells when."""
    model_id = rest.create_model().json["metadata"]["id"]
    patch = [
        {"op": "add", "path": "/name", "value": "new"},
        {"op": "add", "path": "/custom", "value": {"a": 1}},
        {"op": "replace", "path": "/software_spec/id", "value": RT_24_1},
    ]
    patched = rest.space("PATCH", f"/ml/v4/models/{model_id}", patch)
    assert patched.status_code == 200
    assert patched.json["metadata"]["name"] == "new"
    assert patched.json["metadata"]["commit_info"]["committed_at"]
    assert patched.json["entity"]["custom"] == {"a": 1}


def test_an_empty_value_is_patched_too(rest):
    """A description and tags are taken away so."""
    model_id = rest.create_model(description="before", tags=["a"]).json["metadata"]["id"]
    patch = [{"op": "replace", "path": "/description", "value": ""}, {"op": "replace", "path": "/tags", "value": []}]
    patched = rest.space("PATCH", f"/ml/v4/models/{model_id}", patch)
    assert patched.status_code == 200
    assert (patched.json["metadata"]["description"], patched.json["metadata"]["tags"]) == ("", [])


@pytest.mark.parametrize(
    "patch",
    [
        [],
        {},
        [7],
        [{"op": "move", "path": "/name"}],
        [{"op": "add", "path": "/name"}],
        [{"op": "add", "path": "name", "value": "x"}],
        [{"op": "add", "path": "/metadata/id", "value": "x"}],
        [{"op": "add", "path": 7, "value": "x"}],
        [{"op": "add", "path": "/name/first", "value": "x"}],
        [{"op": "remove", "path": "/name"}],
        [{"op": "replace", "path": "/name", "value": 7}],
        [{"op": "replace", "path": "/software_spec", "value": {"name": "default_py3.7"}}],
    ],
)
def test_a_patch_that_cannot_be_applied_changes_nothing(rest, patch):
    """400, and the model is as it was."""
    model_id = rest.create_model(name="before").json["metadata"]["id"]
    answer = rest.space("PATCH", f"/ml/v4/models/{model_id}", patch)
    assert answer.status_code == 400
    error_of(answer)
    assert rest.space("GET", f"/ml/v4/models/{model_id}").json["metadata"]["name"] == "before"


def test_revisions_are_listed_newest_first(rest):
    """Each with its number and the time it was made."""
    model_id = rest.store(b"content")
    for _ in range(2):
        made = rest.send("POST", f"/ml/v4/models/{model_id}/revisions", {"space_id": DEFAULT_SPACE_ID})
        assert made.status_code == 201
    listed = rest.space("GET", f"/ml/v4/models/{model_id}/revisions").json["resources"]
    assert [one["metadata"]["rev"] for one in listed] == ["2", "1"]
    assert listed[0]["metadata"]["commit_info"]["committed_at"]


def test_a_revision_keeps_its_content(rest):
    """What is uploaded later is not the revision's."""
    model_id = rest.store(b"first")
    rest.send("POST", f"/ml/v4/models/{model_id}/revisions", {"space_id": DEFAULT_SPACE_ID})
    rest.upload(model_id, b"second")
    path = f"/ml/v4/models/{model_id}/download"
    assert rest.space("GET", path, rev="1").data == b"first"
    assert rest.space("GET", path).data == b"second"
    assert rest.space("GET", path, rev="2").status_code == 404


def test_a_deployed_model_stays(own):
    """Neither as a model nor as an asset can it be deleted."""
    model_id = own.store(b"content")
    own.create_deployment(model_id)
    for path in (f"/ml/v4/models/{model_id}", f"/v2/assets/{model_id}"):
        answer = own.space("DELETE", path)
        assert answer.status_code == 409
        assert error_of(answer)["code"] == "model_is_deployed"


def test_a_model_is_an_asset(rest):
    """The platform shows type and last update, which a batch job's creation reads."""
    model_id = rest.store(b"content")
    asset = rest.space("GET", f"/v2/assets/{model_id}").json
    assert asset["metadata"]["asset_type"] == "wml_model"
    assert asset["metadata"]["usage"]["last_updated_at"]
    assert asset["entity"]["wml_model"]["type"] == TYPE
    assert rest.space("DELETE", f"/v2/assets/{model_id}", purge_on_delete="true").status_code == 204
    assert rest.space("GET", f"/ml/v4/models/{model_id}").status_code == 404


@pytest.mark.parametrize("kind", ["pipelines", "experiments", "ai_services"])
def test_other_kinds_are_empty(rest, kind):
    """Lists without an entry, and 404 for the id of a model."""
    assert rest.space("GET", f"/ml/v4/{kind}").json["resources"] == []
    model_id = rest.create_model().json["metadata"]["id"]
    answer = rest.space("GET", f"/ml/v4/{kind}/{model_id}")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == f"{kind[:-1]}_does_not_exist"


def test_files_go_with_the_last_who_needs_them(own):
    """The same bytes are kept once, until no model and no deployment has them."""
    folder = own.app._service.contents._folder
    first, second = own.store(b"same"), own.store(b"same")
    assert len(list(folder.iterdir())) == 1
    own.space("DELETE", f"/ml/v4/models/{first}")
    assert own.space("GET", f"/ml/v4/models/{second}/download").data == b"same"
    own.space("DELETE", f"/ml/v4/models/{second}")
    assert list(folder.iterdir()) == []
