"""IBM's own clients, connected to a service."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

from ibm_watsonx_ai import APIClient as NewClient
from ibm_watsonx_ai import Credentials

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.wml.hosts import Hosts
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import CPD, SPEC, TYPE
from tests.ibm import OLDER, PACKAGES

# The older client guesses cp-console, the newer one from version 5.1 on the host itself; AWS has an IAM of its own.
HOSTS = Hosts.of(["cpd-wml.apps.example.com", "cp-console-wml.apps.example.com", "account-iam.platform.saas.ibm.com"])
OLD_CPD = {"url": CPD, "username": "me", "instance_id": "openshift"}
NEW_CPD = {"url": CPD, "username": "me"}


def old_client(**credentials):
    from ibm_watson_machine_learning import APIClient

    return APIClient(credentials)


def new_client(**credentials):
    return NewClient(Credentials(**credentials, verify=True))


ALL = {
    "wml cloud": (old_client, {"url": "https://us-south.ml.cloud.ibm.com", "apikey": "any"}),
    "wml london": (old_client, {"url": "https://eu-gb.ml.cloud.ibm.com", "apikey": "any"}),
    "wml private": (old_client, {"url": "https://private.eu-de.ml.cloud.ibm.com", "apikey": "any"}),
    "wml cpd 4.8 key": (old_client, {**OLD_CPD, "apikey": "any", "version": "4.8"}),
    "wml cpd 5.0 password": (old_client, {**OLD_CPD, "password": "any", "version": "5.0"}),
    "watsonx cloud": (new_client, {"url": "https://us-south.ml.cloud.ibm.com", "api_key": "any"}),
    "watsonx sydney": (new_client, {"url": "https://au-syd.ml.cloud.ibm.com", "api_key": "any"}),
    "watsonx toronto": (new_client, {"url": "https://private.ca-tor.ml.cloud.ibm.com", "api_key": "any"}),
    "watsonx aws": (new_client, {"url": "https://us-east-1.aws.wxai.ibm.com", "api_key": "any"}),
    "watsonx cpd 5.0 key": (new_client, {**NEW_CPD, "api_key": "any", "version": "5.0"}),
    "watsonx cpd 5.0 password": (new_client, {**NEW_CPD, "password": "any", "version": "5.0"}),
    "watsonx cpd 5.2 password": (new_client, {**NEW_CPD, "password": "any", "version": "5.2"}),
}
FLAVOURS = {name: one for name, one in ALL.items() if OLDER in PACKAGES or one[0] is not old_client}
"""Those whose client is installed."""


def installed(*flavours: str) -> list[str]:
    """Those of the flavours whose client is installed."""
    return [flavour for flavour in flavours if flavour in FLAVOURS]


@contextlib.contextmanager
def connected(flavour: str, **settings):
    """A client of this flavour with its space set, and the service that it talks to, made with these settings."""
    make, credentials = FLAVOURS[flavour]
    version = f"{credentials.get('version', '5.0')}.3"
    with EmbeddedWML(cpd_version=version, **settings) as app, open_door(app, HOSTS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the clients say of their own future
        client = make(**credentials)
        try:
            client.set.default_space(DEFAULT_SPACE_ID)
            yield client, app
        finally:
            close(client)
        assert app.crashes == []


def close(client):
    """The newer client keeps its connections until it is told not to."""
    if isinstance(client, NewClient):
        client.httpx_client.close()


def store(client, model, name="model", spec=SPEC["name"], **meta):
    """Store a file or an object; returns the model's id."""
    spec_id = client.software_specifications.get_id_by_name(spec)
    meta = {"name": name, "type": TYPE, "software_spec": spec_id, **meta}
    given = str(model) if isinstance(model, Path) else model
    return client.repository.store_model(given, meta_props=meta)["metadata"]["id"]


def deploy(client, model_id, **props):
    meta = {"name": "deployed", "online": {}, **props}
    return client.deployments.create(model_id, meta_props=meta)["metadata"]["id"]
