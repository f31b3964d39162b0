"""The state of a test run, divided by owner."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_wml.config.values import Mode
from pytest_wml.interception.children import ChildGuard
from pytest_wml.interception.door import Door
from pytest_wml.interception.request_counts import Tally
from pytest_wml.interception.request_log import RequesterScopes, RequestLog
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.deployments import RunDeployments
from pytest_wml.runner.live_account import LiveAccount
from pytest_wml.runner.mode_app import ModeApp
from pytest_wml.runner.recording import Recording
from pytest_wml.runner.results import Results
from pytest_wml.wml.hosts import Hosts
from pytest_wml.wml.operations import Purpose, purpose

if TYPE_CHECKING:
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.replay.misses import Missed, Misses


class Run:
    """A run with pytest, or of a `WmlDeployment` without pytest.

    Args:
        configuration: of the run.
        earlier_misses: returns the unanswered requests of earlier runs.

    Attributes:
        deployments: their specifications and models.
        results: failures, checks and findings.
        recording: the recording of the run.
        live: the processes and resources of a live run.
        app: answers the requests.
        request_log: attributes requests, and passes them to the app.
        scopes: determine the requester of a request.
        door: intercepts connections.
        workers: counts of the xdist workers that have ended.
    """

    def __init__(self, configuration: Configuration, earlier_misses: Callable[[], Missed] = dict) -> None:
        self.configuration = configuration
        self._earlier_misses = earlier_misses
        self.deployments = RunDeployments(configuration)
        self.results = Results()
        self.live = LiveAccount(configuration)
        settings, offline = configuration.settings, configuration.mode is not Mode.LIVE
        hosts = Hosts.of(filter(None, [configuration.cpd_host, *settings.cpd_hosts.value.split(", ")]))
        self.app = ModeApp(configuration, hosts, self.live, lambda: self.misses)
        self.recording = Recording(configuration, lambda: self.app.recorder)
        self.scopes = RequesterScopes()
        self.request_log = RequestLog(self.app, self.scopes)
        self.door = Door(
            self.request_log,
            hosts,
            skip_waits=offline,
            work=self.app.wait_for_loads,
            fail_closed=offline,
            refused=self._refused,
            crashed=self.request_log.crashed,
        )
        self._child_guard = ChildGuard(hosts)
        self.workers = Tally()

    @property
    def idle(self) -> bool:
        """Whether there were no requests yet, in this process or in an xdist worker that has ended."""
        used = self.request_log.exchanges or self.deployments.existing or self.deployments.linted
        return not used and self.workers == Tally()

    @cached_property
    def misses(self) -> Misses:
        """The unanswered requests of this run and of earlier ones."""
        from pytest_wml.replay.misses import Misses  # not imported in a run without misses

        return Misses(self._earlier_misses)

    @property
    def missed(self) -> Missed:
        """The unanswered requests of this run."""
        return self.misses.now if "misses" in self.__dict__ else {}

    def open(self) -> None:
        """Intercept connections to IBM's hosts; in replay and embedded also guard child processes."""
        if self.configuration.mode is Mode.LIVE:
            _ = self.configuration.ca  # reports an invalid file now
            self.live.processes.open()
        self.door.open()
        if self.configuration.mode is not Mode.LIVE:
            self._child_guard.open()

    def close(self) -> None:
        """Undo all patches, and close the app."""
        self._child_guard.close()
        self.app.interrupt()
        self.door.close()
        self.app.close()
        if self.configuration.mode is Mode.LIVE:
            self.live.processes.close()

    def interrupt(self) -> str:
        """Cancel the loading of models; returns a text about the consequences for the user, or an empty one."""
        if self.app.cancel_loads():
            return "the loading of models is cancelled"
        consequences = {
            Mode.REPLAY: "",
            Mode.EMBEDDED: "the run ends",
            Mode.LIVE: "the resources that it created are deleted",
        }
        return consequences[self.configuration.mode]

    def take_refusals_of_children(self) -> None:
        """Store the refused connections of child processes as failures of the current requester."""
        for error in self._child_guard.take_refusals():
            self.request_log.fail(error)

    def report_to_controller(self, errors: Iterable[Exception]) -> None:
        """Report failures that occurred after this xdist worker's report was sent."""
        for error in errors:
            self._child_guard.report_to_parent(error)

    def _refused(self, error: Exception) -> None:
        if not self._child_guard.report_from_fork(error):
            self.request_log.crashed(error)

    def tally(self) -> Tally:
        """The counts of this process and of the xdist workers that have ended."""
        own = Tally(Counter(exchange.answered_by for exchange in self.request_log.exchanges), self.door.skipped_seconds)
        for exchange in self.request_log.exchanges:
            kind = purpose(exchange.method, exchange.path)
            own.requests[kind.value] += 1
            own.requests["bytes"] += exchange.sent if kind is Purpose.UPLOAD else 0
            own.seconds += exchange.seconds if exchange.answered_by == "live" else 0.0
        self.app.add_to(own)
        own.existing = dict(self.deployments.existing)
        own.linted = dict(self.deployments.linted)
        own.add(self.workers)
        return own

    @contextlib.contextmanager
    def inject(self, script: Iterable[Fault], test: str) -> Iterator[None]:
        """Inject the faults of a test inside the with block, and record those that no request matched."""
        if not script:
            yield
            return
        with self.app.inject(script, test) as active:
            yield
        if test not in self.results.failed and test not in self.results.skipped:
            self.app.record_unmet(active, test)
