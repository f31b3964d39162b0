"""pytest's hooks, each of which hands over; nothing heavy is imported here."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from pytest_wml import asking, failures, fixtures, marker, options, report
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


def _start(config: pytest.Config) -> None:
    if RUN in config.stash:
        return
    try:
        settings = options.read(config, os.environ)
    except WMLTestError as error:
        raise pytest.UsageError(str(error)) from None
    run = config.stash[RUN] = Run(settings, config.rootpath, os.environ, config.invocation_params.dir)
    run.open()


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()


def pytest_report_header(config: pytest.Config) -> list[str]:
    return list(report.header(config.stash[RUN]))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    run, asker = collector.config.stash[RUN], asking.module(collector)
    with run.ledger.asking(asker):
        collected = yield
    return failures.of_collecting(run, collected, asker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marker.skip(items, config.stash[RUN].mode)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items[:1]:
        item.config.stash[RUN].left_out = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    run = item.config.stash[RUN]
    run.door.renew()
    with run.ledger.asking(asking.test(item)):
        ended = yield
    run.test_ended(item.nodeid, getattr(item, "fixturenames", ()))
    return ended


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    run = request.config.stash[RUN]
    asker = asking.fixture(fixturedef, request, run.name)
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
    return failures.of_test(item.config.stash[RUN], made, call)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    failures.at_the_end(session, session.config.stash[RUN])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    failures.of_worker(node, node.config.stash[RUN])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash[RUN]
    lines = [*report.summary(run), *failures.lines(run)]
    if lines:
        terminalreporter.section("wml")
        for line in lines:
            terminalreporter.write_line(line)
