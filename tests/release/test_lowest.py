"""`tests/lowest.txt`: the lower bounds of pyproject.toml, which `tox run -e lowest` installs."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def test_each_bound_is_what_is_installed():
    """Of what every user gets, and of the extras that the environment installs, on Python 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["wml"], *extras["tensorflow"]]
    bounds = {}
    for requirement in map(Requirement, asked):
        installed = requirement.marker is None or requirement.marker.evaluate({"python_version": "3.11"})
        if installed and ">=" in str(requirement.specifier):
            name, bound = canonicalize_name(requirement.name), str(requirement.specifier)
            bounds[name] = bound.replace(">=", "==")
    lines = [line for line in (ROOT / "tests/lowest.txt").read_text().splitlines() if not line.startswith("#")]
    assert {each.name: str(each.specifier) for each in map(Requirement, lines)} == bounds
