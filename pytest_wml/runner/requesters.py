"""The requesters of a pytest run: tests, fixtures and modules, each with the cassette of its own requests."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from pytest_wml.interception.request_log import Requester
from pytest_wml.runner.configuration import Configuration

_MAX_LENGTH = 150
_SHARED = frozenset({"wml_client", "_wml_open_deployments"})
_OF_THE_DEPLOYMENT = frozenset({"wml_deployment", "wml_model_archive", "wml_trained_cnn"})


def test(item: pytest.Item) -> Requester:
    """A test; `@pytest.mark.wml(cassette=…)` names its cassette."""
    marker = item.get_closest_marker("wml")
    cassette = marker.kwargs.get("cassette") if marker else None
    return Requester("test", cassette or _file_name(item.nodeid), item.nodeid)


def module(collector: pytest.Collector) -> Requester:
    """A module that is being imported."""
    return Requester("module", _file_name(collector.nodeid) or "session", f"the import of {collector.nodeid}")


def requests_for_a_test(definition: pytest.FixtureDef[Any]) -> bool:
    """Whether a fixture's requests belong to the test that uses it."""
    of_plugin = definition.argname in _SHARED or definition.argname in _OF_THE_DEPLOYMENT
    return definition.scope == "function" and not of_plugin


def fixture(
    definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest, deployment: str, configuration: Configuration
) -> Requester:
    """A fixture with requests of its own.

    Args:
        definition: of the fixture.
        request: of the fixture.
        deployment: name of the test's deployment, if the run has several.
        configuration: of the run.
    """
    name = definition.argname
    if name in _SHARED:
        return Requester("fixture", "", name)
    if name in _OF_THE_DEPLOYMENT:
        return Requester("fixture", deployment or configuration.name, _with_deployment(name, deployment))
    parameter = f"-{getattr(request, 'param_index', 0)}" if hasattr(request, "param") else ""
    if definition.scope in ("session", "package"):
        return Requester("fixture", _file_name(name) + parameter, name, definition.baseid or "the root folder")
    # pytest wraps unittest's setUpClass in a fixture with a generated name.
    plain = "" if name.startswith("_") else f".{name}"
    return Requester("fixture", _file_name(f"{request.node.nodeid}{plain}") + parameter, name, definition.baseid)


def fixtures(item: pytest.Item, deployment: str) -> list[str]:
    """The fixtures of a test, named as in `Requester.where`."""
    names: list[str] = getattr(item, "fixturenames", [])
    return [_with_deployment(name, deployment) if name in _OF_THE_DEPLOYMENT else name for name in names]


def _with_deployment(name: str, deployment: str) -> str:
    """The fixture's name for one of several deployments: a failed test of one must not affect other recordings."""
    return f"{name}[{deployment}]" if deployment else name


def _file_name(node_id: str) -> str:
    """A node id as a file name, equal on every system; a short hash is added if characters are replaced or cut."""
    place, bracket, parameters = node_id.partition("[")
    name = place.replace(".py", "").replace("::", ".").replace("/", ".") + bracket + parameters
    plain = re.sub(r"[^\w.\[\]-]", "_", name)
    # File systems that ignore case would use one file for [A] and [a].
    if plain == name and len(name) <= _MAX_LENGTH and parameters == parameters.lower():
        return name
    return f"{plain[:_MAX_LENGTH]}-{hashlib.sha256(node_id.encode('utf-8', 'replace')).hexdigest()[:8]}"
