"""IBM's clients as the fixtures give them: TLS stays verified, and what they change around themselves is put back."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import ibm_watsonx_ai.deployments
import ibm_watsonx_ai.repository
import pytest
import requests
from ibm_watsonx_ai._wrappers.httpx.global_httpx_settings import GlobalHttpxSettings

from pytest_wml.client import safe_client as client_
from pytest_wml.client.deployment import deployed
from pytest_wml.config.credentials import BadCredentials, Credentials
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.model.archive import read_archive
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.wml.hosts import Hosts
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

pytest.importorskip("ibm_watson_machine_learning")

import ibm_watson_machine_learning._wrappers.requests as wrapper
import ibm_watson_machine_learning.deployments
import ibm_watson_machine_learning.repository

VARIABLES = ("WML_CLIENT_VERIFY_REQUESTS", "WX_CLIENT_VERIFY_REQUESTS", "WSD_PLATFORM", "DEPLOYMENT_PLATFORM",
             "DEPLOYMENT_PRIVATE")  # fmt: skip
CLOUD = Credentials(apikey="k", space_id=DEFAULT_SPACE_ID)
CPD = Credentials(
    url="https://cpd-wml.apps.example.com",
    username="me",
    password="p",
    instance_id="openshift",
    version="5.0",
    space_id=DEFAULT_SPACE_ID,
)


def around():
    """Everything of this process that one of IBM's clients is known to write."""
    old = (ibm_watson_machine_learning.deployments.Deployments, ibm_watson_machine_learning.repository.Repository)
    new = (ibm_watsonx_ai.deployments.Deployments, ibm_watsonx_ai.repository.Repository)
    attributes = [
        getattr(owner, name, None)
        for owner in (*old, *new)
        for name in ("cloud_platform_spaces", "icp_platform_spaces")
    ]
    environment = {name: os.environ.get(name) for name in VARIABLES}
    settings = (GlobalHttpxSettings.verify, GlobalHttpxSettings.proxies)
    return attributes, environment, wrapper.verify, settings, list(warnings.filters)


@pytest.fixture(params=["old", "new"])
def package(request, monkeypatch):
    name = {"old": "ibm_watson_machine_learning", "new": "ibm_watsonx_ai"}[request.param]
    monkeypatch.setattr(client_, "package", lambda: name)
    return name


@pytest.mark.parametrize("credentials", [CLOUD, CPD], ids=["cloud", "cpd"])
@pytest.mark.parametrize("preset", [None, "False"])
def test_nothing_around_it_is_changed(package, credentials, preset, monkeypatch):
    """The environment, class attributes, globals and the filters of warnings are as they were."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if preset:
        monkeypatch.setenv("DEPLOYMENT_PLATFORM", preset)
    monkeypatch.setattr(wrapper, "verify", None)
    before = around()
    with EmbeddedWML(cpd_version="5.0.3") as app, open_door(app, Hosts.of(["cpd-wml.apps.example.com"])):
        with client_.safe_client(credentials) as client:
            assert client.default_space_id == DEFAULT_SPACE_ID
            assert wrapper.verify == "True"
            assert GlobalHttpxSettings.get_effective_verify() not in (False, "False")
    assert around() == before


def test_an_error_of_the_network_leaves_verification_on(monkeypatch):
    """IBM's client was imported before and would give verification up after any error: inside, it does not."""
    monkeypatch.setattr(wrapper, "verify", None)
    with EmbeddedWML() as app, open_door(app), client_.safe_client(CLOUD):
        with pytest.raises(OSError, match="Connection cannot be verified"):
            wrapper.get("https://127.0.0.1:9/nobody", timeout=5)
        assert wrapper.verify == "True"
    assert wrapper.verify is None


def test_a_failure_puts_everything_back(package, monkeypatch):
    """A service that refuses the client leaves nothing changed either."""

    def refuse(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "application/json")])
        return [b"{}"]

    before = around()
    with open_door(refuse), pytest.raises(Exception, match=r"(?i)token|service|space"):
        with client_.safe_client(CLOUD):
            pass
    assert around() == before


def test_the_newer_client_alone(tmp_path):
    """Where only ibm-watsonx-ai is installed, it is the client; the other one is not missed."""
    script = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ibm_watson_machine_learning":
            raise ModuleNotFoundError(name)
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ibm_watson_machine_learning" else find(name, *rest)
sys.meta_path.insert(0, Missing())
from pytest_wml.client import safe_client as client
from pytest_wml.config.credentials import BadCredentials, Credentials
from pytest_wml.client.deployment import deployed
from pytest_wml.interception import open_door
from pytest_wml.emulator.app import EmbeddedWML
assert client.version().startswith("ibm-watsonx-ai ")
with EmbeddedWML() as app, open_door(app):
    with client.safe_client(Credentials(apikey="k", space_id={DEFAULT_SPACE_ID!r})) as made:
        print(type(made).__module__, made.default_space_id)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ended.stdout.split() == ["ibm_watsonx_ai.client", DEFAULT_SPACE_ID]


def test_warnings_of_urllib3_stay(monkeypatch):
    """The client silences them for the whole process."""
    before = list(warnings.filters)
    with EmbeddedWML() as app, open_door(app), client_.safe_client(CLOUD):
        assert list(warnings.filters) == before
    assert requests.packages.urllib3 is not None


@pytest.mark.parametrize("credentials", [CLOUD, CPD], ids=["cloud", "cpd"])
def test_a_space_of_another_region(package, credentials):
    """A space that the service does not have is named, with its service; no key is shown."""
    credentials = credentials._replace(space_id="11111111-2222-4333-8444-555555555555")
    hosts = Hosts.of(filter(None, [credentials.cpd_host]))
    refused = pytest.raises(BadCredentials, match="no such deployment space")
    with EmbeddedWML() as service, open_door(service, hosts), refused as raised, client_.safe_client(credentials):
        pytest.fail("a client was given")
    assert "WML_URL names the region" in str(raised.value)


def test_a_space_without_an_instance(package):
    """Nothing can be deployed there: that is said at once, with what to do."""
    with EmbeddedWML() as service, open_door(service):
        with client_.safe_client(CLOUD) as client:
            meta = {"name": "bare", "storage": {"resource_crn": "crn:v1:storage"}}
            space_id = client.spaces.get_id(client.spaces.store(meta_props=meta, background_mode=True))
        refused = pytest.raises(BadCredentials, match="No instance of Watson Machine Learning is associated")
        with refused as raised, client_.safe_client(CLOUD._replace(space_id=space_id)):
            pytest.fail("a client was given")
    assert space_id in str(raised.value)


def test_a_client_of_another_platform_changes_no_deletion(package):
    """A suite's own client of a Cloud Pak for Data does not change how our model of IBM Cloud is deleted."""
    asked = []

    def watched(environ, start_response):
        asked.append((environ["REQUEST_METHOD"], environ["QUERY_STRING"]))
        return service(environ, start_response)

    archive = read_archive(sample_archive())
    with EmbeddedWML() as service, open_door(watched, Hosts.of([CPD.cpd_host])), client_.safe_client(CLOUD) as client:
        how = {"name": "ours", "model_type": "tensorflow_2.14", "spec": "runtime-24.1-py3.11", "mode": "embedded"}
        with deployed(client, archive, **how):
            type(client.repository).cloud_platform_spaces = False  # what a client of a Cloud Pak for Data leaves
    assert any(method == "DELETE" and "purge_on_delete=true" in query for method, query in asked)
