"""The WSGI app that answers a run's requests: determined by the mode, created with the first request."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pytest_wml.config.values import Mode
from pytest_wml.interception.wsgi import Environ, WSGIApp

if TYPE_CHECKING:
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.emulator.app import EmbeddedWML
    from pytest_wml.interception.faults import ActiveFault, Faults
    from pytest_wml.interception.progress import ProgressReporter
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.live.account import Account
    from pytest_wml.live.gateway import Live
    from pytest_wml.replay.misses import Misses
    from pytest_wml.replay.recorder import Recorder
    from pytest_wml.replay.replay import Replay
    from pytest_wml.runner.configuration import Configuration
    from pytest_wml.runner.live_account import LiveAccount
    from pytest_wml.wml.hosts import Hosts


class ModeApp:
    """The app of the mode, with the run's faults.

    A mode imports heavy libraries (YAML, requests, a model's framework), so it is imported and opened with the first
    request.

    Args:
        configuration: of the run.
        hosts: IBM's hosts.
        live: the state that the processes of a live run share.
        misses: returns the unanswered requests, to which a replay adds.
    """

    def __init__(
        self, configuration: Configuration, hosts: Hosts, live: LiveAccount, misses: Callable[[], Misses]
    ) -> None:
        self._configuration = configuration
        self._hosts = hosts
        self._live = live
        self._misses = misses
        self._app: Any = None
        self._embedded: EmbeddedWML | None = None
        self._watched: ProgressReporter | None = None
        self._account: Account | None = None
        self._at_close = contextlib.ExitStack()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        from pytest_wml.replay.bodies import learn_secrets

        configuration = self._configuration
        learn_secrets(environ, configuration.secrets)
        app: WSGIApp = self._faults if configuration.settings.faults.value or self._has_faults else self._start()
        if configuration.settings.pass_iam.value:
            from pytest_wml.live.gateway import is_for_another_service

            app = self._gateway if is_for_another_service(environ, [configuration.apikey]) else app
        return app(environ, start_response)

    @property
    def replay(self) -> Replay:
        """The replaying app; only in replay."""
        return cast("Replay", self._start())

    @property
    def recorder(self) -> Recorder | None:
        """The recorder; None before the first request, or if the run does not record."""
        return cast("Recorder | None", self._app) if self._configuration.settings.record.value else None

    @property
    def account(self) -> Account:
        """Counts and limits the requests to the live service; only in a live run."""
        self._start()
        return cast("Account", self._account)

    @contextlib.contextmanager
    def inject(self, script: Iterable[Fault], test: str) -> Iterator[list[ActiveFault]]:
        """Inject the faults of a test inside the with block."""
        with self._faults.for_test(script, test) as active:
            yield active

    def record_unmet(self, faults: Iterable[ActiveFault], test: str) -> None:
        """Record for the summary the faults that no request of a test matched."""
        unmet = [one for one in faults if not one.injected and one.fault.probability >= 1]
        self._faults.unmet.update(dict.fromkeys(f"{one.fault} ({test})" for one in unmet))

    @contextlib.contextmanager
    def report_progress(self, report: Callable[[str], None]) -> Iterator[None]:
        """Report the progress of uploads and deployments inside the with block; a replay reports none."""
        self._start()
        with self._watched.by(report) if self._watched else contextlib.nullcontext():
            yield

    def wait_for_loads(self, seconds: float) -> bool:
        """Wait until a model is loaded, at most the given seconds; whether no model is being loaded."""
        return self._embedded is None or self._embedded.wait_for_loads(seconds)

    def assign(self, name: str, deployment: str) -> None:
        """Assign the requests to a deployment that existed before the run to a recording.

        Args:
            name: of the recording.
            deployment: id of the deployment.
        """
        if self._configuration.mode is Mode.REPLAY:
            self.replay.library.own(name, deployment)
        elif self._configuration.settings.record.value:
            self._start().own(name, deployment)

    def add_to(self, tally: Tally) -> None:
        """Add the apps' counts of this process's requests."""
        if self._configuration.mode is Mode.REPLAY and self._app is not None:
            tally.cassettes = {player.cassette.name: player.tally() for player in self.replay.library.players()}
        if self._account is not None:
            self._account.tell(tally)
        if self._embedded is not None:
            tally.doubts = dict.fromkeys(self._embedded.warnings)
        if self._has_faults:
            tally.faults, tally.unmet = Counter(self._faults.injected), dict(self._faults.unmet)

    def without_retries(self) -> contextlib.AbstractContextManager[None]:
        """A with block in which no request to the live service is retried."""
        return self._account.retrying.once() if self._account is not None else contextlib.nullcontext()

    @property
    def spent(self) -> str:
        """The limit of the live run that was reached; empty for none."""
        return self._account.budget.spent if self._account is not None else ""

    def cancel_loads(self) -> bool:
        """Cancel the loading of models before the process ends; whether any model was being loaded."""
        return self._embedded is not None and self._embedded.interrupt()

    def interrupt(self) -> None:
        """End requests that are waiting."""
        self.cancel_loads()
        if self._account is not None:
            self._account.close()
        if self._has_faults:
            self._faults.close()

    def close(self) -> None:
        """Close the mode."""
        self._at_close.close()

    @cached_property
    def _faults(self) -> Faults:
        from pytest_wml.interception.faults import Faults

        script = self._configuration.settings.faults.value
        return Faults(lambda environ, start: self._start()(environ, start), script)

    @property
    def _has_faults(self) -> bool:
        return "_faults" in self.__dict__

    @cached_property
    def _gateway(self) -> Live:
        """The gateway to the live service."""
        from pytest_wml.live.gateway import Live

        gateway = Live(self._configuration.ca)
        self._at_close.callback(gateway.close)
        return gateway

    def _start(self) -> Any:
        if self._app is None:
            self._app = self._of_mode()
        return self._app

    def _of_mode(self) -> Any:
        """The app of this mode."""
        configuration = self._configuration
        if configuration.mode is Mode.REPLAY:
            from pytest_wml.client import safe_client
            from pytest_wml.replay.cassette.library import CassetteLibrary
            from pytest_wml.replay.replay import Replay

            library = CassetteLibrary(configuration.cassettes, configuration.name, configuration.varying)
            replay = Replay(
                library,
                self._hosts,
                configuration.aliases,
                configuration.secrets,
                safe_client.loaded,
                self._misses(),
            )
            self._at_close.callback(replay.close)
            return replay
        from pytest_wml.interception.progress import ProgressReporter

        self._watched = ProgressReporter(self._service())
        if not configuration.settings.record.value:
            return self._watched
        from pytest_wml.replay.recorder import Recorder

        return Recorder(self._watched, self._hosts, configuration.secrets)

    def _service(self) -> Any:
        configuration = self._configuration
        if configuration.mode is Mode.LIVE:
            from pytest_wml.live.account import Account

            self._account = Account(self._gateway, configuration.settings, self._live.processes)
            return self._account
        from pytest_wml.emulator.app import EmbeddedWML

        self._embedded = EmbeddedWML(
            spaces=configuration.spaces,
            allow_pickle=configuration.settings.allow_pickle.value,
            how_to_allow=configuration.settings.how_to_allow,
            any_space=True,
        )
        self._at_close.callback(self._embedded.close)
        return self._embedded
