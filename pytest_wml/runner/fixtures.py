"""The public fixtures; each can be overridden in a conftest.

The code that creates their values is imported by the first test that uses one.
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
    from pytest_wml.runner.deployment_choice import OpenDeployments

__all__ = [
    "_wml_open_deployments",
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
    """The sample network trained on MNIST, on a GPU if there is one; trained once and cached."""
    from pytest_wml.runner import fixture_values

    return fixture_values.trained_cnn(pytestconfig)


@pytest.fixture(scope="session")
def wml_name(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> str:
    """Name of the deployment and of its recording; tests run once for each deployment in wml_deployments."""
    from pytest_wml.runner.deployment_choice import name

    return name(activate(pytestconfig).configuration, request)


@pytest.fixture(scope="session")
def wml_model_archive(
    wml_name: str,
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> ModelArchive:
    """The packaged model: `path`, digests, `signature`, `size`; the option wml_model names the model."""
    from pytest_wml.runner import fixture_values

    run = activate(pytestconfig)

    def train() -> Any:
        return request.getfixturevalue("wml_trained_cnn")

    def folder() -> Path:
        return tmp_path_factory.mktemp("wml_model")

    plan = run.deployments.plan(wml_name)
    return fixture_values.model_archive(run.configuration, pytestconfig, plan, train, folder)


@pytest.fixture(scope="session")
def wml_client(pytestconfig: pytest.Config) -> Iterator[Any]:
    """IBM's APIClient with its default space set; the run's mode answers its requests."""
    from pytest_wml.runner import fixture_values

    with fixture_values.client(activate(pytestconfig)) as client:
        yield client


@pytest.fixture(scope="session")
def _wml_open_deployments(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    wml_client: Any,  # noqa: ARG001 - it must outlive them
) -> Iterator[OpenDeployments]:
    """The open deployments of this process."""
    from pytest_wml.runner.deployment_choice import OpenDeployments

    tests_ended = activate(pytestconfig).deployments.tests_ended
    with contextlib.closing(OpenDeployments(tests_ended, request.session.items)) as open_deployments:
        yield open_deployments


@pytest.fixture(scope="session")
def wml_deployment(
    wml_name: str,
    wml_client: Any,
    wml_model_archive: ModelArchive,
    _wml_open_deployments: OpenDeployments,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """The deployed model: `.score(payload)` as in IBM's client, `.predict(array)` for arrays; deleted at the end."""
    from pytest_wml.runner import fixture_values
    from pytest_wml.runner.progress import progress_line

    run = activate(pytestconfig)

    def create() -> contextlib.AbstractContextManager[Deployment]:
        return fixture_values.deployment(
            run,
            wml_client,
            wml_model_archive,
            run.deployments.plan(wml_name),
            lambda: tmp_path_factory.mktemp("wml_downloaded"),
            progress_line(pytestconfig),
        )

    with _wml_open_deployments.use(wml_name, wml_model_archive, create) as deployment:
        yield deployment


@pytest.fixture
def wml_contract(wml_name: str, wml_deployment: Deployment, pytestconfig: pytest.Config) -> Iterator[Contract]:
    """The checks of the contract toolkit for the deployment: `.classes(images, expected)` and more."""
    from pytest_wml.runner import fixture_values
    from pytest_wml.runner.progress import progress_line

    with progress_line(pytestconfig) as show:
        yield fixture_values.contract(activate(pytestconfig), wml_name, wml_deployment, show)
