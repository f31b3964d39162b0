"""Who answers the requests of a run: chosen by its mode, made for the first request."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from pytest_wml.config.values import Mode
from pytest_wml.interception.request_log import Ledger
from pytest_wml.interception.requester import Turns
from pytest_wml.interception.wsgi import Environ, WSGIApp

if TYPE_CHECKING:
    from pytest_wml.config.credentials import Credentials
    from pytest_wml.config.options import Settings
    from pytest_wml.emulator.app import EmbeddedWML
    from pytest_wml.interception.faults import Faults
    from pytest_wml.interception.request_counts import Tally
    from pytest_wml.live.account import Account
    from pytest_wml.live.gateway import Live
    from pytest_wml.live.processes import RunProcesses
    from pytest_wml.live.progress import ProgressReporter
    from pytest_wml.redaction.known import Secrets
    from pytest_wml.replay.cassette.varying import Varying
    from pytest_wml.replay.misses import Misses
    from pytest_wml.replay.recorder import Recorder
    from pytest_wml.replay.replay import Replay
    from pytest_wml.wml.hosts import Hosts


class Asked(Protocol):
    """What a run says about itself to whoever answers it."""

    settings: Settings
    hosts: Hosts

    @property
    def mode(self) -> Mode: ...
    @property
    def name(self) -> str: ...
    @property
    def cassettes(self) -> Path: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def spaces(self) -> list[str]: ...
    @property
    def aliases(self) -> dict[str, str]: ...
    @property
    def varying(self) -> Varying: ...
    @property
    def misses(self) -> Misses: ...
    @property
    def apikey(self) -> str: ...
    @property
    def ca(self) -> str: ...
    @property
    def together(self) -> RunProcesses: ...


class Answering:
    """The apps of one run.

    Nothing is imported, opened or started before the first request.

    Args:
        run: whose requests are answered.
        turns: whose turn it is to ask, where others keep account of it.
    """

    def __init__(self, run: Asked, turns: Turns | None = None) -> None:
        self._run = run
        self._app: Any = None
        self._embedded: EmbeddedWML | None = None
        self._watched: ProgressReporter | None = None
        self._account: Account | None = None
        self._at_close = contextlib.ExitStack()
        self.ledger = Ledger(self._answer, turns)

    @property
    def replay(self) -> Replay:
        """The replaying app; only in replay."""
        return cast("Replay", self._start())

    @property
    def recorder(self) -> Recorder | None:
        """The recorder, where one was needed so far."""
        return cast("Recorder | None", self._app) if self._run.settings.record.value else None

    @cached_property
    def faults(self) -> Faults:
        """What stands before the app that answers, where anybody asks for faults."""
        from pytest_wml.interception.faults import Faults

        script = self._run.settings.faults.value
        return Faults(lambda environ, start: self._start()(environ, start), script, lambda: self.ledger.asker)

    @contextlib.contextmanager
    def watched(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Tell how uploads and deployments go inside the block; a replay takes no time and tells nothing."""
        self._start()
        with self._watched.by(tell) if self._watched else contextlib.nullcontext():
            yield

    def work(self, seconds: float) -> bool:
        """Wait until a model is loaded, at most so many seconds; whether none is being loaded, as in a replay."""
        return self._embedded is None or self._embedded.wait_for_loads(seconds)

    def own(self, name: str, deployment: str) -> None:
        """What names this deployment, which existed already, belongs to the recording of this name."""
        if self._run.mode is Mode.REPLAY:
            self.replay.library.own(name, deployment)
        elif self._run.settings.record.value:
            self._start().own(name, deployment)

    def tell(self, tally: Tally) -> None:
        """Add what the answering apps know of this process's requests."""
        if self._run.mode is Mode.REPLAY and self._app is not None:
            tally.cassettes = {player.cassette.name: player.tally() for player in self.replay.library.players()}
        if self._account is not None:
            self._account.tell(tally)
        if self._embedded is not None:
            tally.doubts = dict.fromkeys(self._embedded.warnings)
        if self._faulty:
            tally.faults, tally.unmet = Counter(self.faults.injected), dict(self.faults.unmet)

    @property
    def account(self) -> Account:
        """What keeps account of what is asked of the live service; only in a live run."""
        self._start()
        return cast("Account", self._account)

    def once(self) -> contextlib.AbstractContextManager[None]:
        """Inside, nothing is sent to the live service again."""
        return self._account.retrying.once() if self._account is not None else contextlib.nullcontext()

    @property
    def spent(self) -> str:
        """The limit of the live run that was reached; empty for none."""
        return self._account.budget.spent if self._account is not None else ""

    def give_up_loads(self) -> bool:
        """Give up the models that are being loaded, since the process is about to end; whether any were."""
        return self._embedded is not None and self._embedded.interrupt()

    def interrupt(self) -> None:
        """End the answers that only wait."""
        self.give_up_loads()
        if self._account is not None:
            self._account.close()
        if self._faulty:
            self.faults.close()

    def close(self) -> None:
        """Close whatever was opened."""
        self._at_close.close()

    @property
    def _faulty(self) -> bool:
        return "faults" in self.__dict__

    def _answer(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        from pytest_wml.replay.bodies import learn_secrets

        learn_secrets(environ, self._run.secrets)
        app: WSGIApp = self.faults if self._run.settings.faults.value or self._faulty else self._start()
        if self._run.settings.pass_iam.value:
            from pytest_wml.live.gateway import is_for_another_service

            app = self._gateway if is_for_another_service(environ, [self._run.apikey]) else app
        return app(environ, start_response)

    @cached_property
    def _gateway(self) -> Live:
        """The way to the real service."""
        from pytest_wml.live.gateway import Live

        gateway = Live(self._run.ca)
        gateway.ledger = self.ledger
        self._at_close.callback(gateway.close)
        return gateway

    def _start(self) -> Any:
        if self._app is None:
            self._app = self._chosen()
            self._app.ledger = self.ledger
        return self._app

    def _chosen(self) -> Any:
        """The app that answers in this mode, imported only now."""
        run = self._run
        if run.mode is Mode.REPLAY:
            from pytest_wml.client import safe_client
            from pytest_wml.replay.cassette.library import CassetteLibrary
            from pytest_wml.replay.replay import Replay

            library = CassetteLibrary(run.cassettes, run.name, run.varying)
            replay = Replay(library, run.hosts, run.aliases, run.secrets, safe_client.loaded, run.misses)
            self._at_close.callback(replay.close)
            return replay
        from pytest_wml.live.progress import ProgressReporter

        self._watched = ProgressReporter(self._service())
        if not run.settings.record.value:
            return self._watched
        from pytest_wml.replay.recorder import Recorder

        return Recorder(self._watched, run.hosts, run.secrets)

    def _service(self) -> Any:
        run = self._run
        if run.mode is Mode.LIVE:
            from pytest_wml.live.account import Account

            self._account = Account(self._gateway, run.settings, run.together, self.ledger)
            return self._account
        from pytest_wml.emulator.app import EmbeddedWML

        self._embedded = EmbeddedWML(
            spaces=run.spaces,
            allow_pickle=run.settings.allow_pickle.value,
            how_to_allow=run.settings.how_to_allow,
            any_space=True,
        )
        self._at_close.callback(self._embedded.close)
        return self._embedded
