"""Deployments of models that keep their promises, and of models that really do not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pytest_wml.client.deployment import Deployment, deployed
from pytest_wml.client.safe_client import safe_client
from pytest_wml.config import credentials
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.model.archive import read_archive
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID


@pytest.fixture(scope="package")
def client():
    """IBM's client, answered by an embedded service."""
    with EmbeddedWML() as app, open_door(app):
        with safe_client(credentials.OFFLINE._replace(space_id=DEFAULT_SPACE_ID)) as made:
            yield made
        assert app.crashes == []


@pytest.fixture(scope="package")
def deploy(client) -> Iterator:
    """Deploys an archive; `deploy(path, "name")` gives a `Deployment`."""
    with contextlib.ExitStack() as stack:

        def one(path, name: str) -> Deployment:
            archive = read_archive(path)
            return stack.enter_context(
                deployed(
                    client,
                    archive,
                    name=name,
                    model_type="tensorflow_2.14",
                    spec="runtime-24.1-py3.11",
                    mode="embedded",
                )
            )

        yield one


@pytest.fixture(scope="package")
def sample(deploy) -> Deployment:
    """The sample network, which keeps its promises."""
    return deploy(sample_archive(), "sample")


@pytest.fixture(scope="package")
def models(deploy, tmp_path_factory):
    """Deployments of small models by the name of the function that makes them, each made when first asked for."""
    from tests.contract_kit import wrong_models

    folder = tmp_path_factory.mktemp("models")
    made: dict[str, Deployment] = {}

    def one(name: str) -> Deployment:
        if name not in made:
            made[name] = deploy(getattr(wrong_models, name)(folder / name), name)
        return made[name]

    return one


@pytest.fixture(scope="session")
def digits():
    from pytest_wml.digits import load_digits

    return load_digits()
