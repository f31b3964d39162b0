"""The embedded WML under test: over plain HTTP, and through IBM's own clients."""

from __future__ import annotations

import os
from pathlib import Path

# IBM's client reads it once, at its import, and gives verification up after any network error without it.
os.environ.setdefault("WML_CLIENT_VERIFY_REQUESTS", "True")

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import Rest
from tests.sharing import made_once


@pytest.fixture(scope="session")
def archives(tmp_path_factory) -> dict[str, Path]:
    """Packed SavedModels by the name of the function that makes them."""
    from tests.emulator import tiny_models

    folder = made_once(
        tmp_path_factory, "tiny", lambda folder: [make(folder / make.__name__) for make in tiny_models.ALL]
    )
    return {make.__name__: folder / f"{make.__name__}.tar.gz" for make in tiny_models.ALL}


@pytest.fixture(scope="session")
def service():
    """One service for all tests that leave it as they found it, or do not mind what else is there."""
    with EmbeddedWML() as app:
        yield app
    assert app.crashes == []


@pytest.fixture(scope="session")
def rest(service) -> Rest:
    return Rest(service)


@pytest.fixture(scope="session")
def deployments(rest, archives) -> dict[str, str]:
    """Ids of deployments of every model that can be served, by the name of the model."""
    from tests.emulator.tiny_models import SERVED

    return {make.__name__: rest.ready(archives[make.__name__]) for make in SERVED}


@pytest.fixture
def own():
    """A service of the test's own."""
    with EmbeddedWML() as app:
        yield Rest(app)
    assert app.crashes == []


@pytest.fixture(scope="session")
def trusting():
    """One service that runs what comes with a model, for all tests that leave it as they found it."""
    with EmbeddedWML(allow_pickle=True) as app:
        yield Rest(app)
    assert app.crashes == []


@pytest.fixture(scope="session")
def door(service):
    """IBM's hosts lead to the service."""
    with open_door(service):
        yield


@pytest.fixture(scope="session")
def client(door):
    """IBM's older client with a cloud credential, its space set."""
    package = pytest.importorskip("ibm_watson_machine_learning")
    made = package.APIClient({"url": "https://us-south.ml.cloud.ibm.com", "apikey": "any key"})
    made.set.default_space(DEFAULT_SPACE_ID)
    return made
