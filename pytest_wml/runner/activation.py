"""Activates the plugin in a run that concerns WML: at the start of pytest, or when a test uses a feature of it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.config import option_table

if TYPE_CHECKING:
    from pytest_wml.runner.run import Run

_CLIENTS = ("ibm_watson_machine_learning", "ibm_watsonx_ai")
_RECORDING = b'"pytest-wml"'
_HEAD = 1024
"""Number of bytes at the start of a recording that contain the name of the program."""

RUN = pytest.StashKey["Run"]()
"""Key in the stash of pytest's config: the state of an active run."""


def concerns_wml(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Whether a run concerns WML: it has an option, credentials, a client of IBM's or a recording.

    Args:
        config: pytest's; may be incomplete, before conftests are loaded.
        environ: the environment.
    """
    return (
        option_table.given(config, environ)
        or option_table.credentials_given(environ)
        or any(_installed(client) for client in _CLIENTS)
        or _recorded(config.rootpath / "cassettes")
    )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # a module without a specification, created by a test suite
        return True


def _recorded(folder: Path) -> bool:
    """Whether a folder contains a recording of pytest-wml; other recorders use the same folder name."""
    for path in folder.glob("*.yaml"):
        try:
            with path.open("rb") as file:
                if _RECORDING in file.read(_HEAD):
                    return True
        except OSError:
            continue
    return False


def activate(config: pytest.Config) -> Run:
    """The run's state; the first call registers the runner with pytest.

    Raises:
        pytest.UsageError: an option or the credentials cannot be used.
    """
    if RUN not in config.stash:
        from pytest_wml.errors import WMLTestError  # not imported in an inactive run
        from pytest_wml.runner.hooks import Runner

        try:
            runner = Runner(config, os.environ)
        except WMLTestError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[RUN] = runner.run
        config.pluginmanager.register(runner, "pytest_wml_runner")
    return config.stash[RUN]
