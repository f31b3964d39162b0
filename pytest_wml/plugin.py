"""The plugin that pytest loads: declares options and fixtures, and registers the runner in a run that concerns WML."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.config import table
from pytest_wml.runner.activation import RUN, activate, concerns_wml
from pytest_wml.runner.fixtures import *  # noqa: F403

if TYPE_CHECKING:
    from pytest_wml.errors import WMLTestError

_OURS = ("wml_", "_wml_")
"""How the names of our fixtures begin, also of those that a conftest overrides."""


def pytest_addoption(parser: pytest.Parser) -> None:
    table.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest: a client that one makes at import must not reach the network.
    _decide(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", table.MARKER)
    # Here and not before, since conftests may declare keys; --help has to work all the same.
    if any(map(table.may_be_ours, table.ini_keys(config) - table.KEYS)) and not config.getoption("help", False):
        from pytest_wml.config import unknown

        _refuse(unknown.ini_keys(config))
    # A run inside a program begins here where the program loaded the conftests itself.
    _decide(config)


def _decide(config: pytest.Config) -> None:
    if RUN in config.stash:
        return
    if table.stray_variables(os.environ):
        from pytest_wml.config import unknown

        _refuse(unknown.variables(os.environ))
    if concerns_wml(config, os.environ):
        activate(config)


def _refuse(error: WMLTestError | None) -> None:
    if error is not None:
        raise pytest.UsageError(str(error))


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [] if RUN in config.stash else [*table.UNTOUCHED]


# What follows are the ways in which tests ask for something of ours; most runs are active before.


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if RUN not in collector.config.stash and any(_marked(node) for node in report.result):
        from pytest_wml.runner import failures, requesters

        return failures.of_collecting(activate(collector.config), report, requesters.module(collector))
    return report


def _marked(node: object) -> bool:
    return isinstance(node, pytest.Item) and node.get_closest_marker("wml") is not None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.name.endswith(table.CONTRACT_FILE):
        return None
    from pytest_wml.runner.contract_files.collecting import collected

    return collected(activate(parent.config), file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if any(name.startswith(_OURS) for name in metafunc.fixturenames):
        from pytest_wml.runner.deployment_choice import parametrize

        parametrize(metafunc, activate(metafunc.config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", {}).get("pytest_wml")
    if output:
        from pytest_wml.runner.failures import of_worker

        of_worker(output, activate(node.config))
