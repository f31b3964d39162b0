"""The page in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import chromium  # noqa: F401 a fixture
from tests.emulator.page.browsing import rest_of, serving

PACKAGE = Path(__file__).parents[3] / "pytest_wml"
SAMPLE = PACKAGE / "data" / "mnist_cnn.tar.gz"
PUMP = PACKAGE / "tools" / "init" / "template" / "pump" / "pump.tar.gz"
"""A table's model: readings float32 [?, 4] → condition int64 [?], probabilities float32 [?, 3]."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with the sample model deployed as `digits`: its address, and the service as REST."""
    with serving(tmp_path_factory.mktemp("tls")) as (url, app):
        rest = rest_of(app, url)
        model = rest.store(SAMPLE, name="mnist_cnn")
        deployed = rest.create_deployment(model, name="digits")
        rest.deployment(deployed.json["metadata"]["id"])
        yield url, rest


@pytest.fixture
def own(tmp_path):
    """A server of the test's own with nothing deployed: its address, and the service as REST."""
    with serving(tmp_path) as (url, app):
        yield url, rest_of(app, url)


@pytest.fixture
def tiny(tmp_path):
    """A small model by the name of the function that makes it: its archive."""
    from tests.emulator import tiny_models

    return lambda name: getattr(tiny_models, name)(tmp_path / name)
