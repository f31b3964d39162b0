"""What one run holds: settings, credentials, the door, who answers, what was recorded."""

from __future__ import annotations

import contextlib
import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml import credentials as credentials_
from pytest_wml.door import Door
from pytest_wml.hosts import Hosts
from pytest_wml.ledger import Ledger
from pytest_wml.options import Mode, Setting, Settings
from pytest_wml.spaces import DEFAULT_SPACE_ID
from pytest_wml.tally import Tally
from pytest_wml.wsgi import Environ, WSGIApp

if TYPE_CHECKING:
    from pytest_wml.answers.record import Recorder
    from pytest_wml.answers.replay import Replay
    from pytest_wml.cassette.scrub import Secrets
    from pytest_wml.embedded import EmbeddedWML
    from pytest_wml.recording import Outcome, Part, Shard
    from pytest_wml.staleness import Finding

# Models that are one file: Keras, pickles, ONNX, XGBoost.
MODEL_FILES = (".h5", ".hdf5", ".keras", ".pkl", ".pickle", ".joblib", ".onnx", ".ubj", ".json")
_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip", *MODEL_FILES)


RUN = pytest.StashKey["Run"]()


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
        self.leftover: list[Exception] = []
        """Failures outside any test: during an import, in a conftest, after the last test."""
        self.shards: list[Shard] = []
        self.outcomes: list[Outcome] = []
        self.models: dict[str, Any] = {}
        self.findings: list[Finding] = []
        """What somebody should look at: recordings that are too old or unused."""
        self.left_out = False
        """Whether any test was deselected, or skipped for a reason of its own."""
        self.others = Tally()
        """What the xdist workers that have ended asked."""
        self._app: Any = None
        self._embedded: EmbeddedWML | None = None
        self._at_close = contextlib.ExitStack()
        self.ledger = Ledger(self._answer)
        self.hosts = Hosts.of(filter(None, [self._cpd_host(), *settings.cpd_hosts.value.split(", ")]))
        self.door = Door(
            self.ledger,
            self.hosts,
            skip_waits=self.mode is not Mode.LIVE,
            fail_closed=self.mode is not Mode.LIVE,
            refused=self.ledger.crashed,
            crashed=self.ledger.crashed,
        )

    @property
    def mode(self) -> Mode:
        """Where answers come from."""
        return self.settings.mode.value

    @property
    def cassettes(self) -> Path:
        """The folder of the cassettes."""
        setting = self.settings.cassettes
        return self.root / setting.value if setting.source == "default" else self.resolve(setting)

    @cached_property
    def name(self) -> str:
        """The name of the run's deployment and of its cassette."""
        given = self.settings.name.value
        if given:
            return given
        if self.settings.model.value in ("", "train"):
            return "mnist_cnn"
        model = self.resolve(self.settings.model).resolve().name
        suffix = next((suffix for suffix in _SUFFIXES if model.endswith(suffix)), "")
        return model.removesuffix(suffix)

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
    def knows_secrets(self) -> bool:
        """Whether credentials were given."""
        return self._usable_credentials is not None

    @property
    def aliases(self) -> dict[str, str]:
        """The space of whoever runs → the space that recordings name."""
        space = self._usable_credentials.space_id if self._usable_credentials else ""
        return {space: DEFAULT_SPACE_ID} if space not in ("", DEFAULT_SPACE_ID) else {}

    def open(self) -> None:
        """Take over connections to IBM's hosts."""
        self.door.open()

    def close(self) -> None:
        """Put everything back."""
        self.door.close()
        self._at_close.close()
        close = getattr(self._app, "close", None)
        if close is not None:
            close()

    def test_ended(self, test: str, fixtures: Iterable[str]) -> None:
        """Tell the recorder, if there is one, that a test with these fixtures has ended."""
        if self.settings.record.value and self._app is not None:
            self._app.test_ended(test, fixtures)

    def tally(self) -> Tally:
        """What this process and the xdist workers that have ended asked."""
        own = Tally(Counter(exchange.answered_by for exchange in self.ledger.exchanges), self.door.skipped_seconds)
        if self.mode is Mode.REPLAY and self._app is not None:
            own.cassettes = {player.cassette.name: player.tally() for player in self.replay.library.players()}
        if self._embedded is not None:
            own.doubts = dict.fromkeys(self._embedded.warnings)
        own.add(self.others)
        return own

    def shard(self) -> Shard:
        """What this process recorded."""
        from pytest_wml.recording import Shard

        recorder: Recorder | None = self._app if self.settings.record.value else None
        return Shard(
            tapes=recorder.tapes if recorder else {},
            users=recorder.users if recorder else {},
            claims=recorder.claims if recorder else {},
            models=self.models,
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
        app: Replay = self._start()
        return app

    def _answer(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        app = self._start()
        if self.settings.pass_iam.value:
            from pytest_wml.answers.iam import is_for_another_service

            key = self._usable_credentials.apikey if self._usable_credentials else ""
            app = self._gateway if is_for_another_service(environ, [key]) else app
        answer: Iterable[bytes] = app(environ, start_response)
        return answer

    @cached_property
    def _gateway(self) -> WSGIApp:
        """The way to the real service for what is not WML's."""
        from pytest_wml.answers.live import Live

        gateway = Live()
        gateway.ledger = self.ledger
        self._at_close.callback(gateway.close)
        return gateway

    def _start(self) -> Any:
        if self._app is None:
            self._app = self._choose()
            self._app.ledger = self.ledger
        return self._app

    def _choose(self) -> Any:
        """The app that answers in this mode, imported only now."""
        if self.mode is Mode.REPLAY:
            from pytest_wml.answers.replay import Replay
            from pytest_wml.cassette.library import Library

            return Replay(Library(self.cassettes, self.name), self.hosts, self.aliases, self.secrets)
        app: Any
        if self.mode is Mode.EMBEDDED:
            from pytest_wml.embedded import EmbeddedWML

            app = self._embedded = EmbeddedWML(
                spaces=[self.credentials.space_id], allow_pickle=self.settings.allow_pickle.value
            )
        else:
            from pytest_wml.answers.live import Live

            app = Live()
        if not self.settings.record.value:
            return app
        from pytest_wml.answers.record import Recorder

        return Recorder(app, self.hosts, self.secrets)

    @property
    def _usable_credentials(self) -> credentials_.Credentials | None:
        """The credentials, or None for bad ones: those are told to the fixture that needs them, not to everybody."""
        try:
            return self.found_credentials
        except credentials_.BadCredentials:
            return None

    def _cpd_host(self) -> str | None:
        return self._usable_credentials.cpd_host if self._usable_credentials else None
