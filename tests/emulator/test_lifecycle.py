"""A model's life through IBM's own client, ibm-watson-machine-learning, with a cloud credential."""

from __future__ import annotations

import re
import tarfile

import pytest

pytest.importorskip("ibm_watson_machine_learning")

from ibm_watson_machine_learning.wml_client_error import ApiRequestFailure, WMLClientError

from tests.emulator.rest import tarred

PIXELS = [[[[0.0], [3.0]], [[0.0], [0.0]]], [[[0.0], [0.0]], [[0.0], [5.0]]]]


def props(client, name="model", **more):
    names = client.repository.ModelMetaNames
    return {
        names.NAME: name,
        names.TYPE: "tensorflow_2.14",
        names.SOFTWARE_SPEC_UID: client.software_specifications.get_id_by_name("runtime-24.1-py3.11"),
        **more,
    }


def deploy(client, model_id, **more):
    names = client.deployments.ConfigurationMetaNames
    return client.deployments.create(model_id, meta_props={names.NAME: "deployed", names.ONLINE: {}, **more})


@pytest.fixture(scope="module")
def model_id(client, archives):
    stored = client.repository.store_model(str(archives["classifier"]), meta_props=props(client))
    return client.repository.get_model_id(stored)


@pytest.fixture(scope="module")
def deployment(client, model_id):
    return deploy(client, model_id)


def test_the_space_is_listed(client):
    """The space that is always there is in the list, active."""
    listed = client.spaces.list(return_as_df=True)
    assert "5ace0000-0000-4000-8000-000000000000" in set(listed["ID"])


def test_a_new_space_becomes_active(client):
    """A stored space is preparing at first and active when it is asked for."""
    names = client.spaces.ConfigurationMetaNames
    meta = {
        names.NAME: "mine",
        names.STORAGE: {"resource_crn": "crn:v1:storage"},
        names.COMPUTE: {"name": "wml", "crn": "crn:v1:compute"},
    }
    stored = client.spaces.store(meta_props=meta, background_mode=True)
    assert stored["entity"]["status"]["state"] == "preparing"
    space_id = client.spaces.get_id(stored)
    assert client.spaces.get_details(space_id)["entity"]["status"]["state"] == "active"
    assert client.spaces.delete(space_id) == "SUCCESS"


def test_a_software_specification_has_its_real_id(client):
    """Names resolve to the ids of the real service."""
    assert (
        client.software_specifications.get_id_by_name("runtime-24.1-py3.11") == "45f12dfe-aa78-5b8d-9f38-0ee223c47309"
    )


def test_an_unknown_software_specification_is_not_found(client):
    """IBM's client turns an empty list into words."""
    assert client.software_specifications.get_id_by_name("runtime-99.9") == "Not Found"


def test_a_retired_specification_is_listed_as_retired(client):
    """The client reads the state of a specification from its life cycle."""
    listed = client.software_specifications.list(return_as_df=True, limit=100).set_index("NAME")
    assert listed.loc["runtime-22.1-py3.9", "STATE"] == "retired"
    assert listed.loc["runtime-23.1-py3.10", "REPLACEMENT"] == "runtime-24.1-py3.11"


def test_a_hardware_specification_has_its_real_id(client):
    """Hardware is found by name as well."""
    assert client.hardware_specifications.get_id_by_name("S") == "e7ed1d6c-2e89-42d7-aed5-863b972c1d2b"


def test_hardware_specifications_are_listed(client):
    """The client needs a description of each."""
    assert "M" in set(client.hardware_specifications.list(return_as_df=True)["NAME"])


def test_a_stored_model_shows_what_it_was_stored_with(client, model_id):
    """The details have the fields of a recorded cloud answer."""
    details = client.repository.get_details(model_id)
    assert details["entity"] == {
        "hybrid_pipeline_software_specs": [],
        "software_spec": {
            "id": "45f12dfe-aa78-5b8d-9f38-0ee223c47309",
            "name": "runtime-24.1-py3.11",
        },
        "type": "tensorflow_2.14",
    }
    metadata = details["metadata"]
    assert {"created_at", "id", "modified_at", "name", "owner", "resource_key", "space_id"} == set(metadata)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", metadata["created_at"])
    assert details["system"] == {"warnings": []}


def test_models_are_listed(client, model_id):
    """The table of models has the state of their software specification."""
    listed = client.repository.list_models(return_as_df=True).set_index("ID")
    assert listed.loc[model_id, "SPEC_STATE"] == "supported"


def test_everything_is_listed(client, model_id):
    """The list over all kinds has the model and nothing that is not there."""
    listed = client.repository.list(return_as_df=True)
    assert listed.set_index("GUID").loc[model_id, "TYPE"] == "model"


def test_a_savedmodel_folder_is_stored(client, archives, tmp_path):
    """The client packs a folder itself; what it packs can be deployed."""
    folder = tmp_path / "model"
    with tarfile.open(archives["classifier"]) as tar:
        tar.extractall(folder, filter="data")
    stored = client.repository.store_model(str(folder), meta_props=props(client, "folder"))
    made = deploy(client, client.repository.get_model_id(stored))
    assert made["entity"]["status"]["state"] == "ready"


def test_a_deployment_becomes_ready(client, deployment, model_id):
    """The details have the fields of a recorded cloud answer, and a place to score at."""
    deployment_id = client.deployments.get_id(deployment)
    url = f"https://us-south.ml.cloud.ibm.com/ml/v4/deployments/{deployment_id}/predictions"
    assert client.deployments.get_scoring_href(deployment) == url
    assert deployment["entity"] == {
        "asset": {"id": model_id},
        "custom": {},
        "deployed_asset_type": "model",
        "hardware_spec": {
            "id": "e7ed1d6c-2e89-42d7-aed5-863b972c1d2b",
            "name": "S",
            "num_nodes": 1,
        },
        "name": "deployed",
        "online": {"parameters": {}},
        "space_id": "5ace0000-0000-4000-8000-000000000000",
        "status": {
            "inference": [{"url": url}],
            "online_url": {"url": url},
            "serving_urls": [url],
            "state": "ready",
        },
    }


def test_deployments_are_listed(client, deployment):
    """The table of deployments has the name and the state."""
    listed = client.deployments.list(return_as_df=True).set_index("GUID")
    assert listed.loc[client.deployments.get_id(deployment), "STATE"] == "ready"


def test_a_deployed_model_scores(client, deployment):
    """One prediction for each output of the signature, sorted by its key."""
    scored = client.deployments.score(client.deployments.get_id(deployment), {"input_data": [{"values": PIXELS}]})
    classes, probabilities = scored["predictions"]
    assert classes == {"id": "classes", "values": [1, 3]}
    assert probabilities["id"] == "probabilities"
    assert [sum(row) for row in probabilities["values"]] == pytest.approx([1, 1])


def test_a_revision_keeps_what_it_was_made_with(client, archives):
    """Revisions count from 1 and stay as they were when the model changes."""
    stored = client.repository.store_model(str(archives["classifier"]), meta_props=props(client, "before"))
    model_id = client.repository.get_model_id(stored)
    assert client.repository.create_model_revision(model_id)["metadata"]["rev"] == "1"
    names = client.repository.ModelMetaNames
    client.repository.update_model(
        model_id, updated_meta_props={names.NAME: "after"}, update_model=str(archives["words"])
    )
    assert client.repository.get_model_details(model_id)["metadata"]["name"] == "after"
    revision = client.repository.get_model_revision_details(model_id, "1")
    assert revision["resources"][0]["metadata"]["name"] == "before"
    client.repository.list_models_revisions(model_id)


def test_a_deployment_is_renamed(client, deployment):
    """A new name is there at once."""
    deployment_id = client.deployments.get_id(deployment)
    names = client.deployments.ConfigurationMetaNames
    client.deployments.update(deployment_id, changes={names.NAME: "renamed"})
    assert client.deployments.get_details(deployment_id)["entity"]["name"] == "renamed"


def test_a_deployment_serves_another_revision(client, archives):
    """Patching the asset restarts the deployment with what the revision held."""
    stored = client.repository.store_model(str(archives["classifier"]), meta_props=props(client))
    model_id = client.repository.get_model_id(stored)
    deployment_id = client.deployments.get_id(deploy(client, model_id))
    client.repository.update_model(
        model_id,
        updated_meta_props={client.repository.ModelMetaNames.NAME: "words"},
        update_model=str(archives["words"]),
    )
    client.repository.create_model_revision(model_id)
    names = client.deployments.ConfigurationMetaNames
    client.deployments.update(deployment_id, changes={names.ASSET: {"id": model_id, "rev": "1"}})
    details = client.deployments.get_details(deployment_id)
    assert details["entity"]["asset"] == {"id": model_id, "rev": "1"}
    assert details["entity"]["status"]["message"]["text"] == "Successfully patched the asset."
    scored = client.deployments.score(deployment_id, {"input_data": [{"values": ["word"]}]})
    assert scored["predictions"] == [{"id": "shouted", "values": ["WORD"]}]


def test_a_model_that_cannot_be_loaded_fails_its_deployment(client, tmp_path):
    """The client tells the reason that the service gives."""
    archive = tmp_path / "empty.tar.gz"
    archive.write_bytes(tarred(readme__txt=b"no model"))
    stored = client.repository.store_model(str(archive), meta_props=props(client, "no model"))
    with pytest.raises(WMLClientError, match="SavedModel file does not exist at"):
        deploy(client, client.repository.get_model_id(stored))


def test_a_wrong_shape_is_refused(client, deployment):
    """The client shows the status and the service's words."""
    with pytest.raises(ApiRequestFailure, match=r"Status code: 400.*\[\?, 2, 2, 1\].*\[1, 4\]"):
        client.deployments.score(
            client.deployments.get_id(deployment), {"input_data": [{"values": [[1.0, 2.0, 3.0, 4.0]]}]}
        )


def test_a_deleted_deployment_is_gone(client, archives):
    """Deployment and model are deleted, in this order, and then not found."""
    stored = client.repository.store_model(str(archives["classifier"]), meta_props=props(client))
    model_id = client.repository.get_model_id(stored)
    deployment_id = client.deployments.get_id(deploy(client, model_id))
    with pytest.raises(WMLClientError, match="existing deployments"):
        client.repository.delete(model_id)
    assert client.deployments.delete(deployment_id) == "SUCCESS"
    with pytest.raises(ApiRequestFailure, match="deployment_does_not_exist"):
        client.deployments.get_details(deployment_id)
    assert client.repository.delete(model_id) == "SUCCESS"
    assert model_id not in str(client.repository.get_model_details())


def test_an_empty_api_key_is_refused(door):
    """The client cannot be made without a token."""
    from ibm_watson_machine_learning import APIClient

    with pytest.raises(WMLClientError, match="Error getting IAM Token"):
        APIClient({"url": "https://us-south.ml.cloud.ibm.com", "apikey": " "})
