"""The public fixtures; each can be overridden in a conftest.

What makes them is imported by the first test that wants one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.runner.activation import activate

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.contract import Contract
    from pytest_wml.digits import Digits
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.model.cnn import TrainedCNN
    from pytest_wml.runner.deployment_choice import Alive

__all__ = [
    "_wml_alive",
    "wml_client",
    "wml_contract",
    "wml_deployment",
    "wml_digits",
    "wml_model_archive",
    "wml_name",
    "wml_trained_cnn",
]


@pytest.fixture(scope="session")
def wml_digits() -> Digits:
    """Real MNIST digits: `digits[5]` is a float32 [784] image, `digits.images` [N, 784], `digits.labels` [N]."""
    from pytest_wml.digits import load_digits

    return load_digits()


@pytest.fixture(scope="session")
def wml_trained_cnn(pytestconfig: pytest.Config) -> TrainedCNN:
    """The sample network trained on MNIST, on the GPU where there is one; trained once and cached."""
    from pytest_wml.runner import supply

    return supply.trained_cnn(pytestconfig)


@pytest.fixture(scope="session")
def wml_name(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> str:
    """Name of the deployment and of its recording; tests run once for each of those in wml_deployments."""
    from pytest_wml.runner.deployment_choice import name

    return name(activate(pytestconfig), request)


@pytest.fixture(scope="session")
def wml_model_archive(
    wml_name: str,
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> ModelArchive:
    """The packaged model: `path`, digests, `signature`, `size`; what it is made from says the option wml_model."""
    from pytest_wml.runner import supply

    run = activate(pytestconfig)

    def train() -> Any:
        return request.getfixturevalue("wml_trained_cnn")

    def folder() -> Path:
        return tmp_path_factory.mktemp("wml_model")

    return supply.model_archive(run, pytestconfig, run.deployments.plan(wml_name), train, folder)


@pytest.fixture(scope="session")
def wml_client(pytestconfig: pytest.Config) -> Iterator[Any]:
    """IBM's APIClient, its default space set; answered by the run's mode."""
    from pytest_wml.runner import supply

    with supply.client(activate(pytestconfig)) as client:
        yield client


@pytest.fixture(scope="session")
def _wml_alive(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    wml_client: Any,  # noqa: ARG001 - it must outlive them
) -> Iterator[Alive]:
    """The deployments of this process."""
    from pytest_wml.runner.deployment_choice import Alive

    with contextlib.closing(Alive(activate(pytestconfig), request.session.items)) as alive:
        yield alive


@pytest.fixture(scope="session")
def wml_deployment(
    wml_name: str,
    wml_client: Any,
    wml_model_archive: ModelArchive,
    _wml_alive: Alive,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """The deployed model: `.score(payload)` as IBM's client, `.predict(array)` for arrays; deleted at the end."""
    from pytest_wml.runner import supply
    from pytest_wml.runner.progress import shown

    run = activate(pytestconfig)

    def deployed() -> contextlib.AbstractContextManager[Deployment]:
        return supply.deployment(
            run,
            wml_client,
            wml_model_archive,
            run.deployments.plan(wml_name),
            lambda: tmp_path_factory.mktemp("wml_downloaded"),
            shown(pytestconfig),
        )

    with _wml_alive.lent(wml_name, wml_model_archive, deployed) as deployment:
        yield deployment


@pytest.fixture
def wml_contract(wml_name: str, wml_deployment: Deployment, pytestconfig: pytest.Config) -> Iterator[Contract]:
    """The checks of the contract toolkit, bound to the deployment: `.classes(images, expected)` and more."""
    from pytest_wml.runner import supply
    from pytest_wml.runner.progress import shown

    with shown(pytestconfig) as show:
        yield supply.contract(activate(pytestconfig), wml_name, wml_deployment, show)
