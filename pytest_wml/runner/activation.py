"""Whether a run has to do with WML: decided once at the start of pytest, or when a test asks for something of ours."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_wml.config import table

if TYPE_CHECKING:
    from pytest_wml.runner.run import Run

_CLIENTS = ("ibm_watson_machine_learning", "ibm_watsonx_ai")
_RECORDING = b'"pytest-wml"'
_HEAD = 1024
"""Bytes in which a recording names the program that wrote it."""

RUN = pytest.StashKey["Run"]()
"""In pytest's config: the run's state, once the run is active."""


def concerns_wml(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Whether a run has to do with WML: by an option, credentials, IBM's client or a recording.

    Args:
        config: pytest's; may still be on its way, before conftests are loaded.
        environ: the environment.
    """
    return (
        table.given(config, environ)
        or table.credentials_given(environ)
        or any(_installed(client) for client in _CLIENTS)
        or _recorded(config.rootpath / "cassettes")
    )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # a module without a specification, made by a test suite
        return True


def _recorded(folder: Path) -> bool:
    """Whether a folder has a recording of ours; other recorders use the same name for theirs."""
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
        from pytest_wml.errors import WMLTestError  # an inactive run loads neither of them
        from pytest_wml.runner.runner import Runner

        try:
            runner = Runner(config, os.environ)
        except WMLTestError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[RUN] = runner.run
        config.pluginmanager.register(runner, "pytest_wml_runner")
    return config.stash[RUN]
