"""Requesters in pytest: tests, fixtures and modules, and the cassette that each one's own requests belong to."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from pytest_wml.interception.request_log import Requester
from pytest_wml.runner.configuration import Configuration

_LONGEST = 150
_ON_BEHALF_OF_ALL = frozenset({"wml_client", "_wml_alive"})
_OF_THE_DEPLOYMENT = frozenset({"wml_deployment", "wml_model_archive", "wml_trained_cnn"})


def test(item: pytest.Item) -> Requester:
    """A test; `@pytest.mark.wml(cassette=…)` names its cassette."""
    marker = item.get_closest_marker("wml")
    given = marker.kwargs.get("cassette") if marker else None
    return Requester("test", given or _file_name(item.nodeid), item.nodeid)


def module(collector: pytest.Collector) -> Requester:
    """A module that is being imported."""
    return Requester("module", _file_name(collector.nodeid) or "session", f"the import of {collector.nodeid}")


def requests_for_a_test(definition: pytest.FixtureDef[Any]) -> bool:
    """Whether a fixture's requests belong to the test that uses it."""
    ours = definition.argname in _ON_BEHALF_OF_ALL or definition.argname in _OF_THE_DEPLOYMENT
    return definition.scope == "function" and not ours


def fixture(
    definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest, home: str, configuration: Configuration
) -> Requester:
    """A fixture whose requests are its own.

    Args:
        definition: of the fixture.
        request: pytest's, for it.
        home: name of the deployment that the test uses, where there are several.
        configuration: of the run.
    """
    name = definition.argname
    if name in _ON_BEHALF_OF_ALL:
        return Requester("fixture", "", name)
    if name in _OF_THE_DEPLOYMENT:
        return Requester("fixture", home or configuration.name, _of(name, home))
    parameter = f"-{getattr(request, 'param_index', 0)}" if hasattr(request, "param") else ""
    if definition.scope in ("session", "package"):
        return Requester("fixture", _file_name(name) + parameter, name, definition.baseid or "the root folder")
    # unittest's setUpClass is such a fixture, with a name of pytest's own.
    plain = "" if name.startswith("_") else f".{name}"
    return Requester("fixture", _file_name(f"{request.node.nodeid}{plain}") + parameter, name, definition.baseid)


def fixtures(item: pytest.Item, home: str) -> list[str]:
    """The fixtures of a test, as `fixture` names the requester."""
    names: list[str] = getattr(item, "fixturenames", [])
    return [_of(name, home) if name in _OF_THE_DEPLOYMENT else name for name in names]


def _of(name: str, home: str) -> str:
    """One fixture makes several deployments, and a failing test of one keeps no other from being recorded."""
    return f"{name}[{home}]" if home else name


def _file_name(node_id: str) -> str:
    """A node id as the name of a file, equal on every system; what cannot be told from it adds a short hash."""
    place, bracket, parameters = node_id.partition("[")
    name = place.replace(".py", "").replace("::", ".").replace("/", ".") + bracket + parameters
    plain = re.sub(r"[^\w.\[\]-]", "_", name)
    # File systems that ignore case would give [A] and [a] one file.
    if plain == name and len(name) <= _LONGEST and parameters == parameters.lower():
        return name
    return f"{plain[:_LONGEST]}-{hashlib.sha256(node_id.encode('utf-8', 'replace')).hexdigest()[:8]}"
