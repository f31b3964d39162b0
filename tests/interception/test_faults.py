"""Faults before the embedded service: what each of IBM's own clients does with them."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter

import pytest
import requests

from pytest_wml.client import safe_client as client_
from pytest_wml.client.deployment import DeploymentFailed, deployed
from pytest_wml.config.credentials import Credentials
from pytest_wml.config.fault_rules import parse
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.interception.faults import Faults
from pytest_wml.live.waiting import DeploymentStuck
from pytest_wml.model.archive import read_archive
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.tiny_models import classifier
from tests.ibm import needs_older

CLOUD = Credentials(apikey="k", space_id=DEFAULT_SPACE_ID)
PACKAGES = {"wml": "ibm_watson_machine_learning", "watsonx": "ibm_watsonx_ai"}
SPEC = "runtime-24.1-py3.11"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
SPACE = f"https://api.dataplatform.cloud.ibm.com/v2/spaces/{DEFAULT_SPACE_ID}"
IMAGES = [[[[1.0], [0.0]], [[0.0], [0.0]]]]


@pytest.fixture(scope="module")
def service():
    with EmbeddedWML() as app:
        yield app
    assert app.crashes == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return read_archive(classifier(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(params=[pytest.param("wml", marks=needs_older), "watsonx"])
def package(request, monkeypatch):
    monkeypatch.setattr(client_, "package", lambda: PACKAGES[request.param])
    return request.param


@contextlib.contextmanager
def faulty(service, *lines):
    """IBM's client before a service with these faults; the client is made before they begin."""
    faults = Faults(service)
    with open_door(faults) as door, client_.safe_client(CLOUD) as client, faults.for_test(parse(lines), ""):
        yield client, faults, door


def injected(faults):
    return {what: times for (what, _), times in faults.injected.items()}


def spec_of(client):
    return client.software_specifications.get_id_by_name(SPEC)


def deploy(client, archive, mode="embedded"):
    return deployed(client, archive, name="tiny", model_type="tensorflow_2.14", spec=SPEC, mode=mode)


def left_behind(client):
    """Names of the deployments and models in the space."""
    both = (client.deployments.get_details(), client.repository.get_model_details())
    return [found["metadata"]["name"] for details in both for found in details["resources"]]


def test_neither_client_asks_for_a_new_token_after_a_401(service, package):
    """One gives up at once, the other sends the same request with the same token three times more."""
    with faulty(service, "token-expires after=1") as (client, faults, _):
        assert spec_of(client) != "Not Found"
        with pytest.raises(Exception, match="authentication_token_expired"):
            client.spaces.get_details(DEFAULT_SPACE_ID)
    assert injected(faults) == {"401, token expired, on GET …/spaces": {"wml": 1, "watsonx": 4}[package]}


def test_who_logs_in_again_goes_on(service):
    """A run whose code gets a new token after a 401 survives; every token ends after as many requests."""
    with faulty(service, "token-expires after=2") as (_, faults, _):
        said = []
        for _ in range(4):
            answer = requests.post("https://iam.cloud.ibm.com/identity/token", {"apikey": "k", "grant_type": GRANT})
            token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            said += [requests.get(SPACE, headers=token).status_code for _ in range(3)]
    assert said == [200, 200, 401] * 4
    assert faults.injected.total() == 4


def test_only_some_tokens_expire(service):
    """`times` counts tokens: the second one lasts."""
    with faulty(service, "token-expires after=0 times=1"):
        said = []
        for token in ("first", "second", "first"):
            said.append(requests.get(SPACE, headers={"Authorization": f"Bearer {token}"}).json()["errors"][0]["code"])
    assert said == ["authentication_token_expired", "authentication_token_not_valid", "authentication_token_expired"]


def test_a_storm_of_429(service, package):
    """Neither client tries a 429 of these paths again: the status and its code reach the caller."""
    with faulty(service, "status code=429 retry-after=1 on='GET /spaces' times=2") as (client, faults, _):
        for _ in range(2):
            with pytest.raises(Exception, match="429"):
                client.spaces.get_details(DEFAULT_SPACE_ID)
        assert client.spaces.get_details(DEFAULT_SPACE_ID)["metadata"]["id"] == DEFAULT_SPACE_ID
    assert injected(faults) == {"429 on GET …/spaces": 2}


def test_the_form_of_an_error(service):
    """Retry-After in the head, the service's JSON in the body."""
    with faulty(service, "status code=429 retry-after=7"):
        answer = requests.get(SPACE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert set(answer.json()) == {"trace", "errors", "status_code"}
    assert answer.json()["errors"][0]["code"] == "too_many_requests"


def test_retries_of_a_500(service, package):
    """The newer client tries three times more, its waits take no time, and it comes through; the older one fails."""
    with faulty(service, "status code=500 on='GET /spaces' times=3") as (client, faults, door):
        if package == "wml":
            with pytest.raises(Exception, match="500"):
                client.spaces.get_details(DEFAULT_SPACE_ID)
        else:
            assert client.spaces.get_details(DEFAULT_SPACE_ID)["metadata"]["id"] == DEFAULT_SPACE_ID
            assert door.skipped_seconds == pytest.approx(0.3 + 0.6 + 1.2)
    assert faults.injected.total() == {"wml": 1, "watsonx": 3}[package]


def test_the_nth_call(service):
    """Only the third of the requests that are meant."""
    with faulty(service, "status code=503 on='GET /spaces' nth=3"):
        assert [requests.get(SPACE).status_code for _ in range(5)] == [401, 401, 503, 401, 401]


def test_a_cut_is_a_cut(service):
    """The head promises more than comes, whatever asked: nobody takes the half for the whole."""
    with faulty(service, "cut after-bytes=20 times=1"):
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match=r"IncompleteRead.20 bytes read"):
            requests.get(SPACE)
        assert requests.get(SPACE).status_code == 401


def test_a_cut_scoring(service, package, archive):
    """Both clients raise what the network gives them; the next scoring, on a new connection, is answered."""
    with faulty(service, "cut on='POST /predictions' nth=1") as (client, faults, _), deploy(client, archive) as made:
        with pytest.raises(Exception, match=r"(?i)incomplete|peer closed|connection"):
            made.score({"input_data": [{"values": IMAGES}]})
        assert len(made.score({"input_data": [{"values": IMAGES}]})["predictions"]) == 2
    assert injected(faults) == {"connection cut on POST …/predictions": 1}


def test_a_deletion_that_conflicts_twice(service, package, archive):
    """Our teardown tries again, without waiting, and leaves nothing behind."""
    lines = ["status code=409 on='DELETE /deployments' times=2", "cut on='DELETE /assets'"]
    with faulty(service, *lines) as (client, faults, _):
        with deploy(client, archive):
            pass
        assert left_behind(client) == []
    assert injected(faults) == {"409 on DELETE …/deployments": 2}


def test_a_deletion_that_always_conflicts(package, archive):
    """It ends after five tries, with the service's own words."""
    with EmbeddedWML() as own, faulty(own, "status code=409 on='DELETE /deployments'") as (client, faults, _):
        with pytest.raises(DeploymentFailed, match="The deployment could not be deleted") as raised:
            with deploy(client, archive):
                pass
    assert '"status_code": 409' in raised.value.facts["reason"]
    assert injected(faults) == {"409 on DELETE …/deployments": 5}


def test_a_deployment_that_fails(service, package, archive):
    """Our error has the service's reason, and nothing is left behind."""
    with faulty(service, "deployment-failed reason='out of memory' name=tiny") as (client, _, _):
        with pytest.raises(DeploymentFailed, match="out of memory"), deploy(client, archive):
            pass
        assert left_behind(client) == []


def test_a_deployment_that_never_gets_ready(service, package, archive):
    """IBM's client would ask for ever; our wait ends, says what it saw, and leaves nothing behind."""
    with faulty(service, "deployment-stuck") as (client, faults, _):
        with pytest.raises(DeploymentStuck) as raised, deploy(client, archive):
            pass
        assert raised.value.facts["states"] == "initializing ×240"
        assert left_behind(client) == []
        assert "get_details" not in vars(client.deployments)
    assert injected(faults) == {"deployment-stuck on GET …/deployments": 240}


def test_a_slow_deployment_gets_ready(service, package, archive):
    """Stuck for five looks only."""
    with faulty(service, "deployment-stuck times=5") as (client, faults, _), deploy(client, archive) as made:
        assert len(made.score({"input_data": [{"values": IMAGES}]})["predictions"]) == 2
    assert faults.injected.total() == 5


def test_another_deployment_is_not_meant(service, package, archive):
    """`name` chooses."""
    with faulty(service, "deployment-failed name=other") as (client, faults, _), deploy(client, archive):
        pass
    assert not faults.injected


def test_nothing_at_all_comes_back(service):
    """Cut before its first byte, an answer has no head either."""
    with faulty(service, "cut after-bytes=0"), pytest.raises(requests.exceptions.ConnectionError, match=r"(?i)remote"):
        requests.get(SPACE)


def test_closing_ends_a_delay(service):
    """A run that is stopped does not wait for a slow answer."""
    with faulty(service, "slow seconds=3600") as (_, faults, _):
        said = []
        asking = threading.Thread(target=lambda: said.append(requests.get(SPACE).status_code))
        asking.start()
        while not faults.injected:
            threading.Event().wait(0.001)
        faults.close()
        asking.join(10)
    assert said == [401]


def test_as_many_faults_under_concurrency(service):
    """Of a hundred requests of ten threads, exactly as many are refused as of a hundred in turn."""

    def storm(threads):
        with faulty(service, "status code=503 probability=0.3 seed=7"):
            counts: Counter[int] = Counter()

            def ask():
                for _ in range(100 // threads):
                    counts[requests.get(SPACE).status_code] += 1

            asking = [threading.Thread(target=ask) for _ in range(threads)]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join()
        return counts

    assert storm(1) == storm(10)
