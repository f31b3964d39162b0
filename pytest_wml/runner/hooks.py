"""pytest's hooks in a run that concerns WML."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.config import options
from pytest_wml.runner import (
    deployment_choice,
    error_reports,
    failures,
    interruption,
    marker,
    progress,
    report_records,
    requesters,
    summary,
)
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.replay.misses import Missed


class Runner:
    """The plugin that an active run registers with pytest; opens the run, and closes it at the end.

    Args:
        config: pytest's; may be incomplete, before conftests are loaded.
        environ: the environment at the start.

    Raises:
        WMLTestError: an option or the credentials cannot be used.
    """

    def __init__(self, config: pytest.Config, environ: Mapping[str, str]) -> None:
        settings = options.read(config, environ)
        configuration = Configuration(settings, config.rootpath, environ, config.invocation_params.dir)
        self.run = Run(configuration, partial(_earlier_misses, config))
        self._config = config
        self._session: pytest.Session | None = None
        self.run.open()
        # Runs after all hooks, also if a conftest fails and pytest is never configured.
        config.add_cleanup(self.run.close)
        config.add_cleanup(self._finish_late)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        report_records.register_outcomes(config, self.run.configuration)

    def pytest_report_header(self) -> list[str]:
        models = (f"wml: {line}" for line in summary.models(self.run.configuration))
        return [*options.header(self.run.configuration.settings), *models]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        run = self.run
        with run.scopes.of(partial(requesters.module, collector)) as scope:
            report = yield
            run.take_refusals_of_children()
        if isinstance(collector, pytest.File):
            run.results.executed.collected.add(str(collector.path))
        run.results.executed.left_out |= report.outcome == "skipped"  # a module that skips itself
        return failures.report_collection(run, report, scope.requester)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        collected = len(items)
        yield
        if len(items) < collected:  # a conftest may remove tests without reporting it
            self.run.results.executed.left_out = True
        marker.skip(items, self.run.configuration.mode)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.run.results.executed.left_out |= bool(items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        run = self.run
        run.door.restore_guards()
        run.deployments.current = deployment_choice.deployment_of(item)
        report_records.begin_test(item, run.request_log)
        with run.scopes.of(partial(requesters.test, item)), run.inject(marker.faults_of(item), item.nodeid):
            ended = yield
        current = run.deployments.current
        run.recording.test_ended(item.nodeid, requesters.fixtures(item, current))
        run.deployments.tests_ended[current] += 1
        run.results.executed.tests += 1
        return ended

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        if requesters.requests_for_a_test(fixturedef):
            return (yield)
        run = self.run
        find = partial(requesters.fixture, fixturedef, request, run.deployments.current, run.configuration)
        setup, teardown = run.scopes.of(find), run.scopes.of(find, cleanup=True)
        fixturedef.addfinalizer(teardown.leave)
        try:
            with setup:
                return (yield)
        finally:
            # Finalizers run in reverse order: the fixture's own teardown runs between these two.
            fixturedef.addfinalizer(teardown.enter)
            failures.fail_fixture(run.request_log, fixturedef, setup.requester)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        run = self.run
        run.take_refusals_of_children()
        progress.clear_lines(item.config)
        report = failures.report_test(run, report, call)
        if report.outcome == "skipped" and not marker.is_skipped_by_mode(report):
            run.results.executed.left_out = True
        failures.stop_if_budget_spent(item.session, run.app)
        return report_records.record_test(item, call, report, run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if isinstance(excinfo.value, pytest.Session.Interrupted):
            # pytest itself stops the run: after errors of collection, or for a plugin.
            return
        consequence = self.run.interrupt()
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if consequence and reporter is not None and isinstance(excinfo.value, KeyboardInterrupt):
            reporter.ensure_newline()
            reporter.write_line(f"wml: interrupted: {consequence}")
        interruption.exclude_from_collection(self._config)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._session = session
        progress.clear_lines(session.config)
        failures.finish(session, self.run)
        if report_records.is_wanted(self.run.configuration):
            from pytest_wml.runner import report_writer  # few runs write a report

            report_writer.write_reports(session, self.run)
        error_reports.shorten(session.config)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        lines = [*summary.summary(self.run), *failures.lines(self.run.results), *report_records.lines(config)]
        if lines:
            terminalreporter.section("wml")
            for line in lines:
                terminalreporter.write_line(line)
        for command in report_records.commands(config):
            terminalreporter.write_line(command)

    def _finish_late(self) -> None:
        failures.finish_late(self._config, self.run, self._session)


def _earlier_misses(config: pytest.Config) -> Missed:
    """The unanswered requests of earlier runs, from pytest's cache; none if the cache is disabled."""
    cache = getattr(config, "cache", None)
    missed = cache.get("wml/missed", None) if cache is not None else None
    return missed if isinstance(missed, dict) else {}
