"""Who asks: pytest's tests, fixtures and modules, and the cassette that each one's own requests belong to."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_wml.interception.requester import Asker

_LONGEST = 150
_ON_BEHALF_OF_ALL = frozenset({"wml_client", "_wml_alive"})
_OF_THE_DEPLOYMENT = frozenset({"wml_deployment", "wml_model_archive", "wml_trained_cnn"})


def test(item: pytest.Item) -> Asker:
    """A test; `@pytest.mark.wml(cassette=…)` names its cassette."""
    marker = item.get_closest_marker("wml")
    given = marker.kwargs.get("cassette") if marker else None
    return Asker("test", given or _file_name(item.nodeid), item.nodeid)


def module(collector: pytest.Collector) -> Asker:
    """A module that is being imported."""
    return Asker("module", _file_name(collector.nodeid) or "session", f"the import of {collector.nodeid}")


def asks_for_a_test(definition: pytest.FixtureDef[Any]) -> bool:
    """Whether a fixture is one of a single test, on whose behalf it asks."""
    ours = definition.argname in _ON_BEHALF_OF_ALL or definition.argname in _OF_THE_DEPLOYMENT
    return definition.scope == "function" and not ours


def fixture(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest, home: str, only: str) -> Asker:
    """A fixture that asks for itself.

    Args:
        home: name of the deployment that the test uses, where there are several.
        only: name of the only deployment, or of the first.
    """
    name = definition.argname
    if name in _ON_BEHALF_OF_ALL:
        return Asker("fixture", "", name)
    if name in _OF_THE_DEPLOYMENT:
        return Asker("fixture", home or only, _of(name, home))
    parameter = f"-{getattr(request, 'param_index', 0)}" if hasattr(request, "param") else ""
    if definition.scope in ("session", "package"):
        return Asker("fixture", _file_name(name) + parameter, name, definition.baseid or "the root folder")
    # unittest's setUpClass is such a fixture, with a name of pytest's own.
    plain = "" if name.startswith("_") else f".{name}"
    return Asker("fixture", _file_name(f"{request.node.nodeid}{plain}") + parameter, name, definition.baseid)


def fixtures(item: pytest.Item, home: str) -> list[str]:
    """The fixtures of a test, as `fixture` names who asks."""
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
    import hashlib  # only here: a project without WML does not pay for it

    return f"{plain[:_LONGEST]}-{hashlib.sha256(node_id.encode('utf-8', 'replace')).hexdigest()[:8]}"
