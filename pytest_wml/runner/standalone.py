"""Deployments without pytest: in a script, a notebook or a unittest class."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_wml.client.deployment import Deployment
from pytest_wml.config import similar_names
from pytest_wml.config.options import Settings, default
from pytest_wml.config.table import TABLE
from pytest_wml.config.values import WORDS, Mode, Setting
from pytest_wml.errors import BadOption, WMLTestError
from pytest_wml.interception import fails_closed, open_door
from pytest_wml.interception.request_log import Requester, RequestLog
from pytest_wml.runner import cleanup, progress, supply
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.emulator.app import EmbeddedWML

# One thread's doors close in the order in which they opened; those of two threads need not, and connections
# that one of them still takes over would go to the network.
_doors = threading.RLock()


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _doors.acquire(blocking=False):
        raise WMLTestError(
            "Another thread has taken over the connections to IBM.",
            fix="open one embedded() or WmlDeployment around all threads; any thread may use what is open",
        )
    try:
        yield
    finally:
        _doors.release()


@contextlib.contextmanager
def embedded(*, allow_pickle: bool = False) -> Iterator[EmbeddedWML]:
    """Answer IBM's clients from an embedded service in this process, inside a with block.

    The service is empty but for the space `pytest_wml.DEFAULT_SPACE_ID`, and takes any credentials. Another space that
    a request names is made, with a warning among the `warnings` of the block's value. Blocks may be nested: the
    innermost answers. Every thread's connections are answered; only one thread opens blocks.

    Args:
        allow_pickle: let it run code that comes with a model: pickles, Python functions, Lambda layers.

    Raises:
        WMLTestError: another thread is inside such a block.
    """
    from pytest_wml.emulator.app import EmbeddedWML

    how = "pytest_wml.embedded(allow_pickle=True)"
    with _turn():
        with EmbeddedWML(allow_pickle=allow_pickle, how_to_allow=how, any_space=True) as service, open_door(service):
            yield service


@dataclass(frozen=True, repr=False)
class _Watched(Deployment):
    """A deployment whose scoring says what went wrong in our words, where IBM's client has others."""

    request_log: RequestLog | None = None

    def _scored(self, own: dict[str, Any]) -> dict[str, Any]:
        try:
            return super()._scored(own)
        except Exception as error:
            _tell(self.request_log, error)
            raise


def _tell(request_log: RequestLog | None, error: BaseException | None) -> None:
    failures = request_log.take_failures() if request_log is not None else []
    if failures and not isinstance(error, WMLTestError):
        raise failures[0].error from error


class WmlDeployment:
    """A model's deployment inside a with block: `with WmlDeployment("model.tar.gz", mode="embedded") as deployment`.

    The block's value is a `Deployment`, as the fixture `wml_deployment` gives it. In a unittest class:
    `cls.deployment = cls.enterClassContext(WmlDeployment(…))` in `setUpClass`.

    Args:
        model: an archive, a folder or a model file; empty for the packaged sample, or for none where
            the deployment exists already. Relative paths count from the working folder.
        mode: `replay`, `embedded` or `live`.
        name: of the deployment and its recording; default: the archive's.
        deployment: id or serving name of a deployment that exists already: it is only scored.
        model_type: WML's; default: inferred from the model.
        software_spec: name of the software specification; default: inferred from the model and its type.
        cassettes: folder of the recordings.
        credentials: a JSON file with the credentials; the variables WML_… win over it.
        record: write the recording when the block ends well (with embedded or live).
        allow_pickle: let the embedded service run code that comes with a model.

    Raises:
        BadOption: the mode is none, or nothing can be recorded in it.
    """

    def __init__(
        self,
        model: Path | str = "",
        *,
        mode: str = "replay",
        name: str = "",
        deployment: str = "",
        model_type: str = "",
        software_spec: str = "",
        cassettes: Path | str = "cassettes",
        credentials: Path | str = "",
        record: bool = False,
        allow_pickle: bool = False,
    ) -> None:
        chosen = {"model": str(model), "name": name, "deployment": deployment, "model_type": model_type}
        chosen |= {"software_spec": software_spec, "cassettes": str(cassettes), "credentials": str(credentials)}
        self._settings = _settings({**chosen, "mode": _mode(mode), "record": record, "allow_pickle": allow_pickle})
        self._open: contextlib.ExitStack | None = None

    def __enter__(self) -> Deployment:
        """Store and deploy the model, or find the deployment.

        Raises:
            WMLTestError: whatever keeps the deployment from being made, found or replayed.
        """
        if self._open is not None:
            raise WMLTestError("This WmlDeployment is open already.", fix="make another one")
        with contextlib.ExitStack() as stack:
            deployment = self._opened(stack)
            self._open = stack.pop_all()
        return deployment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Delete what was made, and tell of every request that nothing answered.

        Raises:
            WMLTestError: a request was not answered, though IBM's client may have kept still about it; or the
                recording could not be written.
        """
        stack, self._open = self._open, None
        if stack is not None:
            with _quiet():
                stack.__exit__(kind, error, traceback)

    def _opened(self, stack: contextlib.ExitStack) -> Deployment:
        if self._settings.mode.value is Mode.LIVE and fails_closed():
            raise BadOption(
                "The live service is not reached from here: this process lets nothing out to IBM.",
                because="a pytest run in replay or embedded, or an embedded() block, is around it",
                fix="pytest --wml=live, or leave the block",
            )
        run = Run(Configuration(self._settings, Path.cwd(), os.environ, Path.cwd()))
        stack.enter_context(_turn())
        run.open()
        stack.callback(run.close)
        stack.push(lambda _, error, __: _clean_up(run, error))
        stack.push(lambda _, error, __: _end(run, error))
        stack.enter_context(run.request_log.requests_of(Requester("fixture", run.configuration.name, "WmlDeployment")))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pytest-wml-", ignore_cleanup_errors=True))
        plan = run.configuration.plans[run.configuration.name]
        archive = supply.packed_archive(run, plan, lambda: Path(folder))
        with _quiet():
            with run.request_log.requests_of(Requester("fixture", "", "IBM's client")):
                client = stack.enter_context(supply.client(run))
            show = progress.on(sys.stderr)
            made = stack.enter_context(supply.deployment(run, client, archive, plan, lambda: Path(folder), show))
        return _Watched(**vars(made), request_log=run.request_log)


def _clean_up(run: Run, error: BaseException | None) -> None:
    """Delete what is left, and tell what could not be."""
    cleanup.clean_up(run)
    for problem in run.results.errors:
        raise problem from error


def _end(run: Run, error: BaseException | None) -> None:
    """Tell what nothing answered, and write the recording of what ended well."""
    _tell(run.request_log, error)
    if error is not None or not run.recording.wanted:
        return
    from pytest_wml.replay.cassette.parts import Part

    run.recording.shards.append(run.recording.shard(run.results.failed))
    run.recording.save(Part.USUAL)  # tests, or other blocks, may have recorded under the same name
    for outcome in run.recording.outcomes:
        if outcome.error:
            raise WMLTestError(outcome.text)


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        words = WORDS["mode"]
        meant = similar_names.closest(text, words)
        raise BadOption(f"There is no mode {text!r}.", modes=", ".join(words), did_you_mean=meant) from None


class _Settings(Settings):
    how_to_allow = "WmlDeployment(…, allow_pickle=True)"


def _settings(given: Mapping[str, Any]) -> Settings:
    """The options of a run, those that are given and the defaults of the others."""
    if given["record"] and given["mode"] is Mode.REPLAY:
        raise BadOption("Nothing can be recorded in replay.", fix='mode="embedded" or mode="live"')
    defaults = {option.name: default(option) for option in TABLE}
    return _Settings(**{**defaults, **{name: Setting(value, "WmlDeployment") for name, value in given.items()}})


def _quiet() -> contextlib.redirect_stdout[io.StringIO]:
    """Leave out what IBM's client prints of its own."""
    return contextlib.redirect_stdout(io.StringIO())
