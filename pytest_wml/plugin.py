"""The plugin that pytest loads: declares options and fixtures, and activates the runner in a run that concerns WML."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.config import option_table
from pytest_wml.runner.activation import RUN, activate, concerns_wml
from pytest_wml.runner.fixtures import *  # noqa: F403

if TYPE_CHECKING:
    from pytest_wml.errors import WMLTestError

_FIXTURE_PREFIXES = ("wml_", "_wml_")
"""Prefixes of the names of this plugin's fixtures."""


def pytest_addoption(parser: pytest.Parser) -> None:
    option_table.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest, which may create a client while it is imported.
    _activate_if_concerned(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", option_table.MARKER)
    # Not earlier, since conftests may declare ini keys. An unknown key must not prevent --help.
    unknown_keys = option_table.ini_keys(config) - option_table.KEYS
    if any(map(option_table.may_be_ours, unknown_keys)) and not config.getoption("help", False):
        from pytest_wml.config import unknown

        _raise_usage_error(unknown.ini_keys(config))
    # If a program loads the conftests itself, pytest calls no earlier hook.
    _activate_if_concerned(config)


def _activate_if_concerned(config: pytest.Config) -> None:
    if RUN in config.stash:
        return
    if option_table.stray_variables(os.environ):
        from pytest_wml.config import unknown

        _raise_usage_error(unknown.variables(os.environ))
    if concerns_wml(config, os.environ):
        activate(config)


def _raise_usage_error(error: WMLTestError | None) -> None:
    if error is not None:
        raise pytest.UsageError(str(error))


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [] if RUN in config.stash else [*option_table.UNTOUCHED]


# The hooks below activate the plugin if a test uses its marker, contract files or fixtures.


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if RUN not in collector.config.stash and any(_is_marked(node) for node in report.result):
        from pytest_wml.runner import failures, requesters

        return failures.report_collection(activate(collector.config), report, requesters.module(collector))
    return report


def _is_marked(node: object) -> bool:
    return isinstance(node, pytest.Item) and node.get_closest_marker("wml") is not None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.name.endswith(option_table.CONTRACT_FILE):
        return None
    from pytest_wml.runner.contract_files.collector import collect_file

    return collect_file(activate(parent.config).configuration, file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if any(name.startswith(_FIXTURE_PREFIXES) for name in metafunc.fixturenames):
        from pytest_wml.runner.deployment_choice import parametrize

        parametrize(metafunc, activate(metafunc.config).configuration)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", {}).get("pytest_wml")
    if output:
        from pytest_wml.runner.failures import add_worker_output

        add_worker_output(output, activate(node.config))
