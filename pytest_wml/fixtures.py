"""The public fixtures; each can be overridden in a conftest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml import supply
from pytest_wml.session import RUN

if TYPE_CHECKING:
    from pytest_wml.deployment import Deployment
    from pytest_wml.digits import Digits
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.model.cnn import TrainedCNN


@pytest.fixture(scope="session")
def wml_digits() -> Digits:
    """Real MNIST digits: `digits[5]` is a float32 [784] image, `digits.images` [N, 784], `digits.labels` [N]."""
    from pytest_wml.digits import load_digits

    return load_digits()


@pytest.fixture(scope="session")
def wml_trained_cnn(pytestconfig: pytest.Config) -> TrainedCNN:
    """The sample network trained on MNIST, on the GPU where there is one; trained once and cached."""
    return supply.trained_cnn(pytestconfig)


@pytest.fixture(scope="session")
def wml_model_archive(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> ModelArchive:
    """The packaged model: `path`, digests, `signature`, `size`; what it is made from says the option wml_model."""

    def train() -> Any:
        return request.getfixturevalue("wml_trained_cnn")

    def folder() -> Path:
        return tmp_path_factory.mktemp("wml_model")

    return supply.model_archive(pytestconfig.stash[RUN], pytestconfig, train, folder)


@pytest.fixture(scope="session")
def wml_client(pytestconfig: pytest.Config) -> Iterator[Any]:
    """IBM's APIClient, its default space set; answered by the run's mode."""
    with supply.client(pytestconfig.stash[RUN]) as client:
        yield client


@pytest.fixture(scope="session")
def wml_deployment(
    wml_client: Any, wml_model_archive: ModelArchive, pytestconfig: pytest.Config
) -> Iterator[Deployment]:
    """The deployed model: `.score(payload)` as IBM's client, `.predict(array)` for arrays; deleted at the end."""
    with supply.deployment(pytestconfig.stash[RUN], wml_client, wml_model_archive) as deployment:
        yield deployment
