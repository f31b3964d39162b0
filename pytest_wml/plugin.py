"""pytest's hooks, each of which hands over; nothing heavy is imported here."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pytest_wml import (
    asking,
    choosing,
    contract_files,
    failures,
    fixtures,
    marker,
    noting,
    options,
    progress,
    report,
)
from pytest_wml.errors import WMLTestError
from pytest_wml.session import RUN, Run


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_to(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest: a client that one builds at import must not reach the network.
    _start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", marker.DESCRIPTION)
    config.pluginmanager.register(fixtures, "pytest_wml_fixtures")
    _start(config)
    noting.listen(config)


def _start(config: pytest.Config) -> None:
    if RUN in config.stash:
        return
    try:
        settings = options.read(config, os.environ)
        run = Run(settings, config.rootpath, os.environ, config.invocation_params.dir)
        run.open()
    except WMLTestError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[RUN] = run
    # Later than any hook, and also where a conftest breaks and nothing is ever configured.
    config.add_cleanup(run.close)
    config.add_cleanup(lambda: failures.after_the_end(config, run))


def pytest_report_header(config: pytest.Config) -> list[str]:
    return list(report.header(config.stash[RUN]))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    run, asker = collector.config.stash[RUN], asking.module(collector)
    with run.ledger.asking(asker):
        collected = yield
        run.hear_children()
    return failures.of_collecting(run, collected, asker)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.name.endswith(contract_files.ENDING):
        return None
    from pytest_wml.contract_files.collecting import collected  # only here: others have no such file

    return collected(parent.config.stash[RUN], file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    choosing.parametrize(metafunc, metafunc.config.stash[RUN])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marker.skip(items, config.stash[RUN].mode)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items[:1]:
        item.config.stash[RUN].left_out = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    run = item.config.stash[RUN]
    run.door.renew()
    run.home = choosing.deployment_of(item)
    noting.begin(item)
    with run.ledger.asking(asking.test(item)), run.faulty(marker.scripted(item), item.nodeid):
        ended = yield
    run.test_ended(item.nodeid, asking.fixtures(item, run.home))
    run.ended[run.home] += 1
    return ended


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    run = request.config.stash[RUN]
    asker = asking.fixture(fixturedef, request, run.home, run.name)
    if asker is None:
        return (yield)
    teardown = run.ledger.asking_later(asker)
    fixturedef.addfinalizer(teardown.leave)
    try:
        with run.ledger.asking(asker):
            return (yield)
    finally:
        # Finalizers run in the opposite order: the fixture's own teardown stands between these two.
        fixturedef.addfinalizer(teardown.enter)
        failures.of_fixture(run, fixturedef, asker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    made = yield
    progress.end(item.config)
    run = item.config.stash[RUN]
    run.hear_children()
    told = failures.of_test(run, made, call)
    failures.stop(item.session, run)
    return noting.of_test(item, call, told)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    progress.end(session.config)
    run = session.config.stash[RUN]
    failures.at_the_end(session, run)
    if noting.wanted(run):
        from pytest_wml import publishing  # only here: few want it

        publishing.at_the_end(session, run)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    failures.of_worker(node, node.config.stash[RUN])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash[RUN]
    lines = [*report.summary(run), *failures.lines(run), *noting.lines(config)]
    if lines:
        terminalreporter.section("wml")
        for line in lines:
            terminalreporter.write_line(line)
    for command in noting.commands(config):
        terminalreporter.write_line(command)
