"""The whole way of a model through both of IBM's clients, on IBM Cloud and on Cloud Pak for Data."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from pytest_wml.client.deployment import DeploymentFailed, create
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.model.archive import read_archive
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import Rest

pytest.importorskip("ibm_watsonx_ai")
pytest.importorskip("httpcore")  # now, before a door of a test opens inside the plugin's

from tests.emulator.clients import FLAVOURS, HOSTS, close, connected, deploy, installed, new_client, old_client, store
from tests.ibm import needs_older

PIXELS = [[[[0.0], [3.0]], [[0.0], [0.0]]], [[[0.0], [0.0]], [[0.0], [5.0]]]]


def classes(scored):
    return scored["predictions"][0]["values"]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_model_goes_the_whole_way(flavour, archives, tmp_path):
    """Stored, read, downloaded, deployed, scored, changed, and deleted without a trace."""
    with connected(flavour) as (client, _):
        model_id = store(client, archives["classifier"])
        assert client.repository.get_details(model_id)["metadata"]["name"] == "model"
        client.repository.download(model_id, filename=str(tmp_path / "back.tar.gz"))
        assert (tmp_path / "back.tar.gz").read_bytes() == archives["classifier"].read_bytes()
        client.repository.create_model_revision(model_id)
        client.repository.update_model(model_id, updated_meta_props={"name": "renamed"})
        assert len(client.repository.list_models()) == 1
        assert len(client.repository.list()) == 1

        deployment_id = deploy(client, model_id)
        scored = client.deployments.score(deployment_id, {"input_data": [{"values": PIXELS}]})
        assert classes(scored) == [1, 3]
        client.deployments.update(deployment_id, {"name": "renamed"})
        client.deployments.update(deployment_id, {"asset": {"id": model_id, "rev": "1"}})
        client.deployments.update(deployment_id, {"hardware_spec": {"name": "M"}})
        client.deployments.update(deployment_id, {"serving_name": "tiny"})
        assert classes(client.deployments.score("tiny", {"input_data": [{"values": PIXELS}]})) == [1, 3]
        assert len(client.deployments.list()) == 1

        with pytest.raises(Exception, match="existing deployments"):
            client.repository.delete(model_id)
        client.deployments.delete(deployment_id)
        client.repository.delete(model_id)
        assert client.repository.get_model_details()["resources"] == []


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_all_pages_are_read(flavour):
    """Each client follows the links in its own way: one repeats its query, the other sends the link alone."""
    with connected(flavour) as (client, app):
        rest = Rest(app)
        for index in range(5):
            rest.create_model(name=f"model {index}")
        found = client.repository.get_model_details(limit=2, get_all=True)["resources"]
        assert [one["metadata"]["name"] for one in found] == [f"model {index}" for index in (4, 3, 2, 1, 0)]
        pages = list(client.repository.get_model_details(limit=2, asynchronous=True, get_all=True))
        assert [len(page["resources"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("flavour", installed("watsonx cloud", "watsonx cpd 5.0 key"))
def test_a_model_is_scored_asynchronously(flavour, archives):
    """Many scorings of one event loop are each answered with their own."""
    with connected(flavour) as (client, _):
        deployment_id = deploy(client, store(client, archives["lookup"]))

        async def score(index):
            scored = await client.deployments.ascore(deployment_id, {"input_data": [{"values": [index % 3]}]})
            return classes(scored)

        async def score_all():
            try:
                return await asyncio.gather(*map(score, range(12)))
            finally:
                await client.async_httpx_client.aclose()

        assert asyncio.run(score_all()) == [[10.0 + index % 3] for index in range(12)]


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_an_array_is_scored(flavour, archives):
    """Both clients write numpy arrays and their NaN, one bare and one as null; both read the answer's NaN."""
    with connected(flavour) as (client, _):
        deployment_id = deploy(client, store(client, archives["not_a_number"]))
        values = np.array([4.0, np.nan], dtype=np.float32)
        scored = client.deployments.score(deployment_id, {"input_data": [{"values": values}]})
        assert classes(scored) == pytest.approx([2.0, np.nan], nan_ok=True)


@pytest.mark.parametrize("flavour", installed("watsonx cloud"))
def test_a_deployment_that_fails_tells_why(flavour):
    """The newer client raises with the service's words; how the older one tells them, test_lifecycle.py says."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with connected(flavour) as (client, _):
        with pytest.raises(Exception, match="allow_pickle=True"):
            deploy(client, store(client, model, type="scikit-learn_1.3"))


@pytest.mark.parametrize("flavour", installed("wml cpd 5.0 password", "watsonx cpd 5.2 password"))
def test_a_password_is_taken_without_the_foundation(flavour):
    """Where nobody answers for the foundation, both clients log in at the Cloud Pak for Data itself."""
    make, credentials = FLAVOURS[flavour]
    version = f"{credentials['version']}.0"

    def without_foundation(environ, start_response):
        if environ["PATH_INFO"].startswith("/idprovider"):
            start_response("404 Not Found", [("Content-Type", "application/json")])
            return [b"{}"]
        return app(environ, start_response)

    with EmbeddedWML(cpd_version=version) as app, open_door(without_foundation, HOSTS):
        client = make(**credentials)
        client.set.default_space(DEFAULT_SPACE_ID)
        close(client)


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_a_token_is_taken_instead_of_a_key(flavour, archives):
    """One that the service issued before."""
    make, credentials = FLAVOURS[flavour]
    with EmbeddedWML() as app, open_door(app, HOSTS):
        client = make(url=credentials["url"], token=Rest(app).token)
        client.set.default_space(DEFAULT_SPACE_ID)
        assert store(client, archives["words"])
        close(client)


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_a_foreign_token_is_refused(flavour):
    """One client asks for the spaces as soon as it is made, the other when its space is set."""
    make, credentials = FLAVOURS[flavour]

    def connect(stack):
        client = make(url=credentials["url"], token="a.b.c")
        stack.callback(close, client)
        client.set.default_space(DEFAULT_SPACE_ID)

    with EmbeddedWML() as app, open_door(app, HOSTS), contextlib.ExitStack() as stack:
        with pytest.raises(Exception, match="invalid token"):
            connect(stack)


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_a_fixture_tells_who_has_no_such_specification(flavour):
    """One client returns words for an unknown name, the other raises an error of its own."""
    archive = read_archive(Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz")))
    with connected(flavour) as (client, _):
        with pytest.raises(DeploymentFailed, match="pytest-wml's embedded service has no software specification 'r'"):
            create(client, archive, name="m", model_type="tensorflow_2.14", spec="r", mode="embedded")


def test_the_newer_client_reads_the_life_cycle():
    """It warns of what is deprecated and lists what is supported; Runtime 24.1 is, whatever the day."""
    with connected("watsonx cloud") as (client, _):
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match="is currently in a 'deprecated' state"):
            client.software_specifications.get_id_by_name("runtime-23.1-py3.10")
        with pytest.raises(UserWarning, match="is currently in a 'deprecated' state"):
            client.software_specifications.get_details("336b29df-e0e1-5e7d-b6a5-f6ab722625b2")
        client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        listed = set(client.software_specifications.list()["NAME"])
        assert {"runtime-24.1-py3.11", "runtime-25.1-py3.12"} <= listed
        assert "runtime-23.1-py3.10" not in listed


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_what_is_not_served_is_asked_once(flavour):
    """501 is none of the statuses after which the newer client asks again, and the words reach the caller."""
    make, credentials = FLAVOURS[flavour]
    asked = []

    def counted(environ, start_response):
        asked.append(environ["PATH_INFO"])
        return app(environ, start_response)

    with EmbeddedWML() as app, open_door(counted, HOSTS):
        client = make(**credentials)
        client.set.default_space(DEFAULT_SPACE_ID)
        with pytest.raises(Exception, match="pytest-wml's embedded service does not serve GET /v2/package_extensions"):
            client.package_extensions.list()
        assert asked.count("/v2/package_extensions") == 1
        assert len(client.repository.list()) == 0
        close(client)


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud"))
def test_a_retired_specification_is_refused(flavour, archives):
    """The service's words reach the caller of either client."""
    with connected(flavour) as (client, _):
        retired = client.software_specifications.get_id_by_name("runtime-22.1-py3.9")
        meta = {"name": "m", "type": "tensorflow_2.7", "software_spec": retired}
        with pytest.raises(Exception, match=r"Unsupported software specification 'runtime-22\.1-py3\.9'"):
            client.repository.store_model(str(archives["words"]), meta_props=meta)


@pytest.mark.parametrize("flavour", installed("wml cloud", "watsonx cloud", "watsonx cpd 5.0 key"))
def test_a_job_runs_through_either_client(flavour, archives):
    """Queued, running, completed, forgotten."""
    with connected(flavour) as (client, _):
        model_id = store(client, archives["lookup"])
        deployment_id = deploy(client, model_id, online=None, batch={}, hardware_spec={"name": "S"})
        job = client.deployments.create_job(deployment_id, {"input_data": [{"values": [1]}]})
        assert job["entity"]["scoring"]["status"]["state"] == "queued"
        job_id = job["metadata"]["id"]
        states = [client.deployments.get_job_status(job_id)["state"] for _ in range(2)]
        assert states == ["running", "completed"]
        assert classes(client.deployments.get_job_details(job_id)["entity"]["scoring"]) == [11.0]
        assert client.deployments.delete_job(job_id, hard_delete=True) == "SUCCESS"
        assert client.deployments.get_job_details()["resources"] == []


@needs_older
def test_clients_of_both_flavours_share_a_process(archives):
    """A client for the cloud and one for a Cloud Pak for Data, made in this order, see the same space."""
    with EmbeddedWML() as app, open_door(app, HOSTS):
        clients = [old_client(**FLAVOURS[flavour][1]) for flavour in ("wml cloud", "wml cpd 5.0 password")]
        clients += [new_client(**FLAVOURS[flavour][1]) for flavour in ("watsonx cloud", "watsonx cpd 5.0 key")]
        for client in clients:
            client.set.default_space(DEFAULT_SPACE_ID)
        deployment_ids = [deploy(client, store(client, archives["classifier"])) for client in clients]
        for client in clients:
            for deployment_id in deployment_ids:
                scored = client.deployments.score(deployment_id, {"input_data": [{"values": PIXELS}]})
                assert classes(scored) == [1, 3]
            close(client)


def test_sixteen_threads_go_the_whole_way(archives):
    """One client, sixteen lives at once: each thread finds its own model and its own answers."""
    with connected(installed("wml cloud", "watsonx cloud")[0]) as (client, app):

        def live(index):
            model_id = store(client, archives["lookup"], name=f"model {index}")
            deployment_id = deploy(client, model_id, name=f"deployed {index}")
            for value in range(3):
                body = {"input_data": [{"values": [value] * (index + 1)}]}
                assert classes(client.deployments.score(deployment_id, body)) == [10.0 + value] * (index + 1)
            assert client.deployments.get_details(deployment_id)["entity"]["name"] == f"deployed {index}"
            client.deployments.delete(deployment_id)
            client.repository.delete(model_id)
            return model_id

        with ThreadPoolExecutor(16) as pool:
            assert len(set(pool.map(live, range(16)))) == 16
        assert Rest(app).space("GET", "/ml/v4/models").json["resources"] == []
