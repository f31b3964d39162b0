"""What one run holds: settings, credentials, the door, who answers, what was recorded."""

from __future__ import annotations

import contextlib
import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.config.deployment_specs import Plan
from pytest_wml.config.options import Settings
from pytest_wml.config.values import Mode
from pytest_wml.interception import Door
from pytest_wml.interception.children import Children
from pytest_wml.interception.requester import Turns
from pytest_wml.runner.answering import Answering
from pytest_wml.runner.choices import Choices
from pytest_wml.wml.hosts import Hosts

if TYPE_CHECKING:
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.contract import Result
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.live.processes import RunProcesses
    from pytest_wml.live.resource_journal import UndeletedResource
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.replay.cassette.suite_part import SuitePart
    from pytest_wml.replay.misses import Missed, Misses
    from pytest_wml.replay.replay import Replay
    from pytest_wml.runner.cassette_writer import Outcome, Reference, Shard
    from pytest_wml.runner.staleness import Finding

RUN = pytest.StashKey["Run"]()


class Run(Choices):
    """One test run's state.

    Nothing heavy is loaded before the first request to WML: a project without WML does not pay for it.

    Args:
        settings: every option.
        root: pytest's root folder; relative paths are below it.
        environ: the environment at the start.
        started_in: the folder in which pytest was started.
        turns: whose turn it is to ask.
        children: guards the child processes, where that began before.
    """

    def __init__(
        self,
        settings: Settings,
        root: Path,
        environ: Mapping[str, str],
        started_in: Path,
        turns: Turns | None = None,
        children: Children | None = None,
    ) -> None:
        super().__init__(settings, root, environ, started_in)
        self.failed: set[str] = set()
        self.skipped: set[str] = set()
        self.leftover: list[Exception] = []
        """Failures outside any test: during an import, in a conftest, after the last test."""
        self.finished: pytest.Session | None = None
        """pytest's session, from its end on."""
        self.shards: list[Shard] = []
        self.outcomes: list[Outcome] = []
        self.models: dict[str, Any] = {}
        self.references: dict[str, Reference] = {}
        """By file name, what the check `drift` recorded."""
        self.found: dict[str, str] = {}
        """By name of a deployment that existed already: which model it serves, as far as it is known."""
        self.linted: dict[str, list[str]] = {}
        """By name of a deployment: errors and warnings that lint had before it was tried live."""
        self.home = ""
        """The name of the deployment that the running test uses; empty for the only one."""
        self.ended: Counter[str] = Counter()
        """How many tests of each of several deployments have ended in this process."""
        self.findings: list[Finding] = []
        """What somebody should look at: recordings that are too old or unused."""
        self.written: dict[str, Plan] = {}
        """What the deployments that contract files name are made of, by name."""
        self.contracts: list[Result] = []
        """What the checks of `wml_contract` promised, measured and found in this process, for a report."""
        self.served: dict[str, ModelArchive] = {}
        """The models that were asked in this process, by name of the deployment."""
        self.stored: dict[str, Plan] = {}
        """How those that this run stored were: the plans with type and software specification."""
        self.cleaned: list[str] = []
        """What the tests of a live run left behind, deleted at the end."""
        self.undeletable: set[UndeletedResource] = set()
        """What could not be deleted at the end."""
        self.forgotten: list[str] = []
        """What other live runs left behind when they were killed."""
        self.recall: Callable[[], Missed] = dict
        """Gives the unanswered requests of earlier runs."""
        self.answering = Answering(self, turns)
        self.ledger = self.answering.ledger
        self.hosts = Hosts.of(filter(None, [self.cpd_host, *settings.cpd_hosts.value.split(", ")]))
        self.door = Door(
            self.ledger,
            self.hosts,
            skip_waits=self.mode is not Mode.LIVE,
            work=self.answering.work,
            fail_closed=self.mode is not Mode.LIVE,
            refused=self._refused,
            crashed=self.ledger.crashed,
        )
        self._children = children or Children(self.hosts)

    @cached_property
    def others(self) -> Tally:
        """What the xdist workers that have ended asked."""
        from pytest_wml.interception.request_counts import Tally  # a project without WML does not pay for it

        return Tally()

    @property
    def idle(self) -> bool:
        """Whether nothing was asked of WML so far, here or in an xdist worker that has ended: there is no tally."""
        return not (self.ledger.exchanges or self.found or self.linted or "others" in self.__dict__)

    @cached_property
    def misses(self) -> Misses:
        """The unanswered requests of this run and of earlier ones."""
        from pytest_wml.replay.misses import Misses  # only here: a run without one does not pay for it

        return Misses(lambda: self.recall())

    @property
    def missed(self) -> Missed:
        """The unanswered requests of this run."""
        return self.misses.now if "misses" in self.__dict__ else {}

    def plan(self, name: str) -> Plan:
        """What a deployment is made of; for a contract file's tests that of the file."""
        return self.written[name] if self.home == name and name in self.written else self.plans[name]

    @cached_property
    def together(self) -> RunProcesses:
        """A live run's name and what its processes share."""
        from pytest_wml.live.processes import RunProcesses  # only here: an offline run does not pay for it

        usable = self.usable_credentials
        facts = {"url": usable.url, "space": usable.space_id} if usable else {}
        return RunProcesses(self._environ, self.settings.lifetime.value, facts)

    def open(self) -> None:
        """Take over connections to IBM's hosts; offline also see to it that no child process has one."""
        if self.mode is Mode.LIVE:
            _ = self.ca  # a mistake in it is told now
            self.together.open()
        self.door.open()
        if self.mode is not Mode.LIVE:
            self._children.open()

    def close(self) -> None:
        """Put everything back."""
        self._children.close()
        self.answering.interrupt()
        self.door.close()
        self.answering.close()
        if self.mode is Mode.LIVE:
            self.together.close()

    def interrupted(self) -> str:
        """Give up what would keep the process from ending; what is done now, for the user, empty for nothing."""
        if self.answering.give_up_loads():
            return "what is being loaded is given up"
        return {Mode.REPLAY: "", Mode.EMBEDDED: "the run ends", Mode.LIVE: "what it created is deleted"}[self.mode]

    def hear_children(self) -> None:
        """Remember what was refused to child processes, as failures of whoever asks now."""
        for error in self._children.refused():
            self.ledger.fail(error)

    def tell_parent(self, errors: Iterable[Exception]) -> None:
        """Tell the run whose xdist worker this is of failures that came too late for the worker's report."""
        for error in errors:
            self._children.tell_parent(error)

    def _refused(self, error: Exception) -> None:
        if not self._children.tell(error):
            self.ledger.crashed(error)

    def test_ended(self, test: str, fixtures: Iterable[str]) -> None:
        """Tell the recorder, if there is one, that a test with these fixtures has ended."""
        recorder = self.answering.recorder
        if recorder is not None:
            recorder.test_ended(test, fixtures)

    def own(self, name: str, deployment: str) -> None:
        """What names this deployment, which existed already, belongs to the recording of this name."""
        self.answering.own(name, deployment)

    def keep_reference(self, name: str, file: Path, text: str, told: str) -> None:
        """Keep a reference of the check `drift` until the recordings are written, of which it is a part."""
        from pytest_wml.runner.cassette_writer import Reference

        self.references[file.name] = Reference(name, self.ledger.asker.where, text, told)

    def tally(self) -> Tally:
        """What this process and the xdist workers that have ended asked."""
        from pytest_wml.interception.request_counts import Tally

        own = Tally(Counter(exchange.answered_by for exchange in self.ledger.exchanges), self.door.skipped_seconds)
        self._weigh(own)
        self.answering.tell(own)
        own.found = dict(self.found)
        own.linted = dict(self.linted)
        own.add(self.others)
        return own

    def _weigh(self, tally: Tally) -> None:
        """Count what was asked by its purpose."""
        if not self.ledger.exchanges:
            return
        from pytest_wml.wml.operations import Purpose, purpose

        for exchange in self.ledger.exchanges:
            why = purpose(exchange.method, exchange.path)
            tally.asked[why.value] += 1
            tally.asked["bytes"] += exchange.sent if why is Purpose.UPLOAD else 0
            tally.seconds += exchange.seconds if exchange.answered_by == "live" else 0.0

    def shard(self) -> Shard:
        """What this process recorded."""
        from pytest_wml.runner.cassette_writer import Shard

        recorder = self.answering.recorder
        return Shard(
            tapes=recorder.tapes if recorder else {},
            users=recorder.users if recorder else {},
            claims=recorder.claims if recorder else {},
            models=self.models,
            references=self.references,
            failed=self.failed,
            secrets=self.secrets.all(),
            aliases=self.aliases,
            varying=self.varying,
        )

    def save(self, part: SuitePart) -> None:
        """Write the cassettes of all processes."""
        from pytest_wml.client import safe_client
        from pytest_wml.runner.cassette_writer import save

        shards = [shard for shard in self.shards if any(shard.tapes.values())]
        if shards:
            facts = {"recorded_from": self.mode.value, "client": safe_client.loaded() or safe_client.version()}
            today = datetime.datetime.now(datetime.UTC).date()
            age = self.settings.max_age.value
            self.outcomes = list(save(self.shards, self.cassettes, facts, part=part, today=today, max_age=age))

    @property
    def replay(self) -> Replay:
        """The replaying app; only in replay."""
        return self.answering.replay

    @contextlib.contextmanager
    def faulty(self, script: Iterable[Fault], test: str) -> Iterator[None]:
        """Inject the faults that a test asks for, and note those that it never meets."""
        if not script:
            yield
            return
        faults = self.answering.faults
        with faults.during(script, test) as armed:
            yield
        if test not in self.failed and test not in self.skipped:
            unmet = [one for one in armed if not one.injected and one.fault.probability >= 1]
            faults.unmet.update(dict.fromkeys(f"{one.fault} ({test})" for one in unmet))
