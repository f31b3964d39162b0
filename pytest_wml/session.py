"""What one run holds: settings, credentials, the door, who answers, what was recorded."""

from __future__ import annotations

import contextlib
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml import credentials as credentials_
from pytest_wml.answering import Answering
from pytest_wml.door import Door
from pytest_wml.door.children import Children
from pytest_wml.hosts import Hosts
from pytest_wml.option import Setting
from pytest_wml.options import Mode, Settings
from pytest_wml.plans import Plan
from pytest_wml.spaces import DEFAULT_SPACE_ID

if TYPE_CHECKING:
    from pytest_wml.answers.replay import Replay
    from pytest_wml.cassette.scrub import Secrets
    from pytest_wml.contract import Result
    from pytest_wml.faults import Fault
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.recording import Outcome, Part, Reference, Shard
    from pytest_wml.staleness import Finding
    from pytest_wml.tally import Tally

# Models that are one file: Keras, pickles, ONNX, XGBoost.
MODEL_FILES = (".h5", ".hdf5", ".keras", ".pkl", ".pickle", ".joblib", ".onnx", ".ubj", ".json")
_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip", *MODEL_FILES)


RUN = pytest.StashKey["Run"]()


def named_after(model: Path) -> str:
    """The name of a deployment that is given none: its model's, without the ending."""
    suffix = next((suffix for suffix in _SUFFIXES if model.name.endswith(suffix)), "")
    return model.name.removesuffix(suffix)


class Run:
    """One test run's state.

    Nothing heavy is loaded before the first request to WML: a project without WML does not pay for it.

    Args:
        settings: every option.
        root: pytest's root folder; relative paths are below it.
        environ: the environment at the start.
        started_in: the folder in which pytest was started.
    """

    def __init__(self, settings: Settings, root: Path, environ: Mapping[str, str], started_in: Path) -> None:
        self.settings = settings
        self.root = root
        self._started_in = started_in
        self._environ = dict(environ)
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
        self.left_out = False
        """Whether any test was deselected, or skipped for a reason of its own."""
        self.answering = Answering(self)
        self.ledger = self.answering.ledger
        self.hosts = Hosts.of(filter(None, [self._cpd_host(), *settings.cpd_hosts.value.split(", ")]))
        self.door = Door(
            self.ledger,
            self.hosts,
            skip_waits=self.mode is not Mode.LIVE,
            fail_closed=self.mode is not Mode.LIVE,
            refused=self._refused,
            crashed=self.ledger.crashed,
        )
        self._children = Children(self.hosts)

    @property
    def mode(self) -> Mode:
        """Where answers come from."""
        return self.settings.mode.value

    @cached_property
    def others(self) -> Tally:
        """What the xdist workers that have ended asked."""
        from pytest_wml.tally import Tally  # a project without WML does not pay for it

        return Tally()

    @property
    def idle(self) -> bool:
        """Whether nothing was asked of WML so far, here or in an xdist worker that has ended: there is no tally."""
        return not (self.ledger.exchanges or self.found or self.linted or "others" in self.__dict__)

    @property
    def cassettes(self) -> Path:
        """The folder of the cassettes."""
        setting = self.settings.cassettes
        return self.root / setting.value if setting.source == "default" else self.resolve(setting)

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """What the deployments of the run are made of, by name; one, unless wml_deployments names several."""
        settings, several = self.settings, self.settings.deployments
        if not several.value:
            model, source = settings.model
            return {self.name: self.completed(Plan(self.name, model, deployment=settings.deployment.value), source)}
        return {plan.name: self.completed(plan, several.source) for plan in several.value}

    def completed(self, plan: Plan, source: str) -> Plan:
        """A plan with what the options say where it says nothing."""
        return plan._replace(
            model_type=plan.model_type or self.settings.model_type.value,
            software_spec=plan.software_spec or self.settings.software_spec.value,
            source=source,
        )

    @cached_property
    def name(self) -> str:
        """The name of the run's deployment and of its cassette; of several the first."""
        if self.settings.deployments.value:
            return self.settings.deployments.value[0].name
        given = self.settings.name.value
        if given:
            return given
        if self.settings.model.value in ("", "train"):
            return "mnist_cnn"
        return named_after(self.resolve(self.settings.model).resolve())

    @property
    def names_a_model(self) -> bool:
        """Whether anybody chose what the run deploys."""
        settings = self.settings
        return any(one.value for one in (settings.model, settings.name, settings.deployment, settings.deployments))

    def plan(self, name: str) -> Plan:
        """What a deployment is made of; for a contract file's tests that of the file."""
        return self.written[name] if self.home == name and name in self.written else self.plans[name]

    def resolve(self, setting: Setting[str]) -> Path:
        """A path: what the command line or the environment names counts from where pytest was started."""
        return (self.root if setting.source.startswith("ini") else self._started_in) / setting.value

    @cached_property
    def found_credentials(self) -> credentials_.Credentials | None:
        """The credentials that the environment or a file gives.

        Raises:
            BadCredentials: they cannot be used.
        """
        file = self.settings.credentials
        return credentials_.find(self._environ, str(self.resolve(file)) if file.value else "")

    @property
    def credentials(self) -> credentials_.Credentials:
        """The credentials to use; offline ones where none are needed and none are given.

        Raises:
            BadCredentials: a live run without, or they cannot be used.
        """
        if self.mode is Mode.LIVE:
            return credentials_.required(self.found_credentials)
        found = self.found_credentials or credentials_.OFFLINE
        return found if found.space_id else found._replace(space_id=DEFAULT_SPACE_ID)

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets of the run."""
        from pytest_wml.cassette.scrub import Secrets

        return Secrets(self._usable_credentials.secrets if self._usable_credentials else ())

    @property
    def apikey(self) -> str:
        """The API key of the run; empty where none was given."""
        return self._usable_credentials.apikey if self._usable_credentials else ""

    @property
    def knows_secrets(self) -> bool:
        """Whether credentials were given."""
        return self._usable_credentials is not None

    @property
    def aliases(self) -> dict[str, str]:
        """The space of whoever runs → the space that recordings name."""
        space = self._usable_credentials.space_id if self._usable_credentials else ""
        return {space: DEFAULT_SPACE_ID} if space not in ("", DEFAULT_SPACE_ID) else {}

    def open(self) -> None:
        """Take over connections to IBM's hosts; offline also see to it that no child process has one."""
        self.door.open()
        if self.mode is not Mode.LIVE:
            self._children.open()

    def close(self) -> None:
        """Put everything back."""
        self._children.close()
        self.answering.interrupt()
        self.door.close()
        self.answering.close()

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
        from pytest_wml.recording import Reference

        self.references[file.name] = Reference(name, self.ledger.asker.where, text, told)

    def tally(self) -> Tally:
        """What this process and the xdist workers that have ended asked."""
        from pytest_wml.tally import Tally

        own = Tally(Counter(exchange.answered_by for exchange in self.ledger.exchanges), self.door.skipped_seconds)
        self.answering.tell(own)
        own.found = dict(self.found)
        own.linted = dict(self.linted)
        own.add(self.others)
        return own

    def shard(self) -> Shard:
        """What this process recorded."""
        from pytest_wml.recording import Shard

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
        )

    def save(self, part: Part) -> None:
        """Write the cassettes of all processes."""
        from pytest_wml import client
        from pytest_wml.recording import save

        shards = [shard for shard in self.shards if any(shard.tapes.values())]
        if shards:
            facts = {"recorded_from": self.mode.value, "client": client.version()}
            today = datetime.datetime.now(datetime.UTC).date()
            self.outcomes = list(save(self.shards, self.cassettes, facts, part=part, today=today))

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

    @property
    def _usable_credentials(self) -> credentials_.Credentials | None:
        """The credentials, or None for bad ones: those are told to the fixture that needs them, not to everybody."""
        try:
            return self.found_credentials
        except credentials_.BadCredentials:
            return None

    def _cpd_host(self) -> str | None:
        return self._usable_credentials.cpd_host if self._usable_credentials else None
