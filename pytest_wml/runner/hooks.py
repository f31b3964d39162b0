"""pytest's hooks, each of which hands over, if anything has to do with WML; nothing heavy is imported here."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.config import table
from pytest_wml.runner.standby import STANDBY, Standby

if TYPE_CHECKING:
    from pytest_wml.errors import WMLTestError
    from pytest_wml.interception.requester import Asker

_OURS = ("wml_", "_wml_")
"""How the names of our fixtures begin, also of those that a conftest overrides."""


def pytest_addoption(parser: pytest.Parser) -> None:
    table.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest: a client that one builds at import must not reach the network.
    _start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", table.MARKER)
    _check_keys(config)
    _start(config)
    run = config.stash[STANDBY].run
    if run is not None:
        from pytest_wml.runner.active_hooks import listen

        listen(config, run)


def _check_keys(config: pytest.Config) -> None:
    # Here and not before, since conftests may declare keys; --help has to work all the same.
    if any(map(table.may_be_ours, table.ini_keys(config) - table.KEYS)) and not config.getoption("help", False):
        from pytest_wml.config import unknown

        _refuse(unknown.ini_keys(config))


def _check_variables() -> None:
    if table.stray_variables(os.environ):
        from pytest_wml.config import unknown

        _refuse(unknown.variables(os.environ))


def _refuse(error: WMLTestError | None) -> None:
    if error is not None:
        raise pytest.UsageError(str(error))


def _start(config: pytest.Config) -> None:
    if STANDBY in config.stash:
        return
    _check_variables()
    standby = Standby(config, os.environ)
    # On GitHub there is more to tell of a run than here.
    sign = os.environ.get("GITHUB_ACTIONS") == "true" or table.credentials_given(os.environ)
    if sign or table.given(config, os.environ):
        _begin(standby)
    else:
        standby.wait()
    config.stash[STANDBY] = standby
    # Later than any hook, and also where a conftest breaks and nothing is ever configured.
    config.add_cleanup(standby.close)
    config.add_cleanup(partial(_after_the_end, config))


def _begin(standby: Standby) -> None:
    from pytest_wml.errors import WMLTestError

    try:
        standby.begin()
    except WMLTestError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    run = config.stash[STANDBY].run
    if run is None:
        return [*table.UNTOUCHED]
    from pytest_wml.runner.active_hooks import header

    return list(header(run))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    standby = collector.config.stash[STANDBY]
    with standby.turns.of(partial(_module, collector)) as turn:
        collected = yield
        standby.hear_children()
    if isinstance(collector, pytest.File):
        standby.ran.collected.add(str(collector.path))
    standby.ran.left_out |= collected.outcome == "skipped"  # a module that skips itself
    if standby.run is None and not _marked(collected.result):
        return collected
    from pytest_wml.runner.active_hooks import of_collecting

    return of_collecting(standby.begin(), collected, turn.asker)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.name.endswith(table.CONTRACT_FILE):
        return None
    from pytest_wml.runner.contract_files.collecting import collected  # only here: others have no such file

    return collected(parent.config.stash[STANDBY].begin(), file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if any(name.startswith(_OURS) for name in metafunc.fixturenames):
        from pytest_wml.runner.active_hooks import parametrize

        parametrize(metafunc, metafunc.config.stash[STANDBY].begin())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    collected = len(items)
    yield
    if len(items) < collected:  # also where a conftest takes tests out without a word
        config.stash[STANDBY].ran.left_out = True
    if _marked(items):
        from pytest_wml.runner.active_hooks import skip

        skip(items, config.stash[STANDBY].begin().mode)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items[:1]:
        item.config.stash[STANDBY].ran.left_out = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    standby = item.config.stash[STANDBY]
    if _marked([item]):
        standby.begin()
    standby.renew()
    with standby.turns.of(partial(_test, item)):
        if standby.run is None:
            ended = yield
        else:
            from pytest_wml.runner.active_hooks import testing

            with testing(standby.run, item):
                ended = yield
    standby.ran.tests += 1
    if standby.run is not None:
        from pytest_wml.runner.active_hooks import tested

        tested(standby.run, item)
    return ended


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    standby = request.config.stash[STANDBY]
    ours = fixturedef.argname.startswith(_OURS)
    if ours:
        standby.begin()
    if fixturedef.scope == "function" and not (ours and _asks_for_itself(fixturedef)):
        return (yield)
    run = standby.run
    who = partial(_fixture, fixturedef, request, run.home if run else "", run.name if run else "")
    turn, teardown = standby.turns.of(who), standby.turns.of(who, ending=True)
    fixturedef.addfinalizer(teardown.leave)
    try:
        with turn:
            return (yield)
    finally:
        # Finalizers run in the opposite order: the fixture's own teardown stands between these two.
        fixturedef.addfinalizer(teardown.enter)
        if standby.run is not None:
            from pytest_wml.runner.active_hooks import of_fixture

            of_fixture(standby.run, fixturedef, turn.asker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    made = yield
    standby = item.config.stash[STANDBY]
    standby.hear_children()
    if standby.run is None:
        if made.outcome == "skipped":
            standby.ran.left_out = True
        return made
    from pytest_wml.runner.active_hooks import of_test

    return of_test(standby.run, item, call, made)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    standby = session.config.stash[STANDBY]
    standby.finished = session
    standby.hear_children()
    if standby.run is not None:
        from pytest_wml.runner.active_hooks import at_the_end

        at_the_end(session, standby.run)
    elif hasattr(session.config, "workeroutput"):
        session.config.workeroutput["pytest_wml"] = {"ran": standby.ran.as_json()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    standby = node.config.stash[STANDBY]
    output = getattr(node, "workeroutput", {}).get("pytest_wml", {})
    if "ran" in output:
        standby.ran.add(output["ran"])
    if output.keys() - {"ran"}:  # a worker in which the run has begun
        from pytest_wml.runner.active_hooks import of_worker

        of_worker(output, standby.begin())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash[STANDBY].run
    if run is not None:
        from pytest_wml.runner.active_hooks import summary

        summary(terminalreporter, config, run)


def _after_the_end(config: pytest.Config) -> None:
    standby = config.stash[STANDBY]
    standby.hear_children()
    if standby.run is not None:
        from pytest_wml.runner.active_hooks import after_the_end

        after_the_end(config, standby.run)


def _marked(nodes: Iterable[object]) -> bool:
    """Whether `@pytest.mark.wml` is on any test among these."""
    return any(isinstance(node, pytest.Item) and node.get_closest_marker("wml") for node in nodes)


def _module(collector: pytest.Collector) -> Asker:
    from pytest_wml.runner.requesters import module

    return module(collector)


def _test(item: pytest.Item) -> Asker:
    from pytest_wml.runner.requesters import test

    return test(item)


def _asks_for_itself(definition: pytest.FixtureDef[Any]) -> bool:
    from pytest_wml.runner.requesters import asks_for_a_test

    return not asks_for_a_test(definition)


def _fixture(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest, home: str, only: str) -> Asker:
    from pytest_wml.runner.requesters import fixture

    return fixture(definition, request, home, only)
