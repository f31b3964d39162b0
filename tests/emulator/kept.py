"""A service with a data folder, opened and closed again."""

from __future__ import annotations

import contextlib

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest


@contextlib.contextmanager
def served(data_dir, **options):
    """A service of the folder, from its start to its end."""
    with EmbeddedWML(data_dir=data_dir, **options) as app:
        yield Rest(app)
    assert app.crashes == []


def everything(rest):
    """What the service shows of all that it keeps in the space, once every model is loaded."""
    for deployment in rest.space("GET", "/ml/v4/deployments", limit="200").json["resources"]:
        rest.deployment(deployment["metadata"]["id"])
    paths = ["/ml/v4/models", "/ml/v4/functions", "/ml/v4/deployments", "/ml/v4/deployment_jobs"]
    shown = {path: rest.space("GET", path, total_count="true").json for path in paths}
    return {**shown, "spaces": rest.send("GET", "/v2/spaces").json}
