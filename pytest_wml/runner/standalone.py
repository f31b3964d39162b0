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
from pytest_wml.config.option_table import TABLE
from pytest_wml.config.options import Settings, default
from pytest_wml.config.values import WORDS, Mode, Setting
from pytest_wml.errors import BadOption, WMLTestError
from pytest_wml.interception import fails_closed, open_door
from pytest_wml.interception.request_log import Requester, RequestLog
from pytest_wml.runner import cleanup, fixture_values, progress
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.emulator.app import EmbeddedWML

# Nested doors of one thread close in reverse order. Doors of two threads may close in any order, which would restore
# the real connections while one of the doors is still open.
_one_thread = threading.RLock()


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Allow blocks of one thread at a time.

    Raises:
        WMLTestError: another thread is inside a block.
    """
    if not _one_thread.acquire(blocking=False):
        raise WMLTestError(
            "Another thread intercepts the connections to IBM.",
            fix="open one embedded() or WmlDeployment around all threads; every thread may use it",
        )
    try:
        yield
    finally:
        _one_thread.release()


@contextlib.contextmanager
def embedded(*, allow_pickle: bool = False) -> Iterator[EmbeddedWML]:
    """Answer the requests of IBM's clients with an embedded service in this process, inside a with block.

    The service contains only the space `pytest_wml.DEFAULT_SPACE_ID`, and accepts any credentials. It creates any other
    space that a request names, with a warning in the `warnings` of the block's value. Blocks may be nested: the
    innermost answers. It answers the connections of all threads; only one thread at a time can open blocks.

    Args:
        allow_pickle: let the service run code from a model: pickles, Python functions, Lambda layers.

    Raises:
        WMLTestError: another thread is inside such a block.
    """
    from pytest_wml.emulator.app import EmbeddedWML

    call = "pytest_wml.embedded(allow_pickle=True)"
    with _exclusive():
        with EmbeddedWML(allow_pickle=allow_pickle, how_to_allow=call, any_space=True) as service, open_door(service):
            yield service


@dataclass(frozen=True, repr=False)
class _LoggedDeployment(Deployment):
    """A deployment whose scoring raises the error of pytest-wml in place of the one of IBM's client."""

    request_log: RequestLog | None = None

    def _scored(self, own: dict[str, Any]) -> dict[str, Any]:
        try:
            return super()._scored(own)
        except Exception as error:
            _raise_failure(self.request_log, error)
            raise


def _raise_failure(request_log: RequestLog | None, error: BaseException | None) -> None:
    """Raise the first failure of the request log, unless an error of pytest-wml was raised before."""
    failures = request_log.take_failures() if request_log is not None else []
    if failures and not isinstance(error, WMLTestError):
        raise failures[0].error from error


class WmlDeployment:
    """A model's deployment inside a with block: `with WmlDeployment("model.tar.gz", mode="embedded") as deployment`.

    The block's value is a `Deployment`, as that of the fixture `wml_deployment`. In a unittest class:
    `cls.deployment = cls.enterClassContext(WmlDeployment(…))` in `setUpClass`.

    Args:
        model: an archive, a folder or a model file; empty for the packaged sample, or with `deployment` for no local
            archive. Relative paths start at the working folder.
        mode: `replay`, `embedded` or `live`.
        name: of the deployment and its recording; default: the archive's.
        deployment: id or serving name of an existing deployment, which is only scored.
        model_type: WML's; default: inferred from the model.
        software_spec: name of the software specification; default: inferred from the model and its type.
        cassettes: folder of the recordings.
        credentials: a JSON file with the credentials; the variables WML_… have precedence.
        record: write the recording if the block ends without an error (with embedded or live).
        allow_pickle: let the embedded service run code from a model.

    Raises:
        BadOption: the mode is not valid, or does not record.
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
        options = {"model": str(model), "name": name, "deployment": deployment, "model_type": model_type}
        options |= {"software_spec": software_spec, "cassettes": str(cassettes), "credentials": str(credentials)}
        self._settings = _settings({**options, "mode": _mode(mode), "record": record, "allow_pickle": allow_pickle})
        self._open: contextlib.ExitStack | None = None

    def __enter__(self) -> Deployment:
        """Store and deploy the model, or find the deployment.

        Raises:
            WMLTestError: the deployment cannot be created, found or replayed.
        """
        if self._open is not None:
            raise WMLTestError("This WmlDeployment is open already.", fix="create another one")
        with contextlib.ExitStack() as stack:
            deployment = self._deploy(stack)
            self._open = stack.pop_all()
        return deployment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Delete the created resources, and write the recording.

        Raises:
            WMLTestError: a request was not answered, even if IBM's client caught the error; or the recording could not
                be written.
        """
        stack, self._open = self._open, None
        if stack is not None:
            with _quiet():
                stack.__exit__(kind, error, traceback)

    def _deploy(self, stack: contextlib.ExitStack) -> Deployment:
        if self._settings.mode.value is Mode.LIVE and fails_closed():
            raise BadOption(
                "This process refuses connections to the live service.",
                because="it is a pytest run in replay or embedded, or the code is inside an embedded() block",
                fix="pytest --wml=live, or leave the block",
            )
        run = Run(Configuration(self._settings, Path.cwd(), os.environ, Path.cwd()))
        stack.enter_context(_exclusive())
        run.open()
        stack.callback(run.close)
        stack.push(lambda _, error, __: _clean_up(run, error))
        stack.push(lambda _, error, __: _finish(run, error))
        stack.enter_context(run.request_log.requests_of(Requester("fixture", run.configuration.name, "WmlDeployment")))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pytest-wml-", ignore_cleanup_errors=True))
        plan = run.configuration.plans[run.configuration.name]
        archive = fixture_values.packed_archive(run.configuration, plan, lambda: Path(folder))
        with _quiet():
            with run.request_log.requests_of(Requester("fixture", "", "IBM's client")):
                client = stack.enter_context(fixture_values.client(run))
            show = progress.progress_line_on(sys.stderr)
            deployment = stack.enter_context(
                fixture_values.deployment(run, client, archive, plan, lambda: Path(folder), show)
            )
        return _LoggedDeployment(**vars(deployment), request_log=run.request_log)


def _clean_up(run: Run, error: BaseException | None) -> None:
    """Delete the remaining resources of a live run; raise an error if that fails."""
    cleanup.clean_up(run)
    for problem in run.results.errors:
        raise problem from error


def _finish(run: Run, error: BaseException | None) -> None:
    """Raise the failure of an unanswered request, or write the recording if there was no error."""
    _raise_failure(run.request_log, error)
    if error is not None or not run.recording.enabled:
        return
    from pytest_wml.replay.cassette.suite_part import SuitePart

    run.recording.shards.append(run.recording.shard(run.results.failed))
    run.recording.save(SuitePart.USUAL)  # tests, or other blocks, may have recorded under the same name
    for result in run.recording.write_results:
        if result.error:
            raise WMLTestError(result.text)


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        words = WORDS["mode"]
        similar = similar_names.closest(text, words)
        raise BadOption(f"There is no mode {text!r}.", modes=", ".join(words), did_you_mean=similar) from None


class _Settings(Settings):
    how_to_allow = "WmlDeployment(…, allow_pickle=True)"


def _settings(options: Mapping[str, Any]) -> Settings:
    """The options of a run; default values for those that are not given."""
    if options["record"] and options["mode"] is Mode.REPLAY:
        raise BadOption("Nothing can be recorded in replay.", fix='mode="embedded" or mode="live"')
    defaults = {option.name: default(option) for option in TABLE}
    return _Settings(**{**defaults, **{name: Setting(value, "WmlDeployment") for name, value in options.items()}})


def _quiet() -> contextlib.redirect_stdout[io.StringIO]:
    """Discard the output of IBM's client."""
    return contextlib.redirect_stdout(io.StringIO())
