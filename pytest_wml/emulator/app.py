"""The WSGI app."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from pytest_wml.emulator.exchange import Call, refused
from pytest_wml.emulator.home import Home, temporary
from pytest_wml.emulator.refusals import (
    Conflict,
    ContentLost,
    Invalid,
    Missing,
    ModelBroke,
    ModelTooSlow,
    NoSpaceLeft,
    NotKept,
    NotServed,
    Refusal,
    TooLarge,
    Unauthenticated,
)
from pytest_wml.emulator.routes import match, unserved
from pytest_wml.emulator.runtimes.loading import Policy
from pytest_wml.emulator.scoring_log import ScoringLog
from pytest_wml.emulator.service import EmbeddedService, ServiceSettings
from pytest_wml.wml import embedded
from pytest_wml.wml.embedded import EMBEDDED
from pytest_wml.wml.hosts import Role, cloud_role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from pytest_wml.emulator.page import Page

_STATUSES: dict[type[Refusal], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Missing: 404,
    Conflict: 409,
    TooLarge: 413,
    ModelBroke: 500,
    NotKept: 500,
    ContentLost: 500,
    NotServed: 501,
    ModelTooSlow: 504,
    NoSpaceLeft: 507,
}
_DRAINED = 64 << 20


class EmbeddedWML:
    """Watson Machine Learning in this process: a WSGI app that IBM's own clients accept.

    It really scores what is uploaded. It answers for every host of IBM Cloud, and as a Cloud Pak for Data
    for every other host. It may be called from many threads. It holds a folder and loaded models until it
    is closed. With a `data_dir`, whatever it answered with a success is on the disk before the answer is given,
    and there again for the next one with the same folder, however this one ends.

    Args:
        spaces: ids of the deployment spaces that are there from the start, active.
        folder: where to keep uploads, in a folder of its own that closing removes; the system's by default. Not used
            with a `data_dir`.
        data_dir: the folder to keep spaces, models, functions, deployments, jobs and uploads in, across restarts;
            without it they end with this object. One service at a time may have it.
        clock: seconds since the epoch; what times, and the life of tokens, are taken from.
        cpd_version: the version that it reports as a Cloud Pak for Data, such as `4.8.5`.
        json_limit: bytes that a JSON body may have before it is refused with 413; uploads have no limit.
        allow_pickle: whether code that comes with a model may run: pickles, functions, Lambda layers of Keras.
            It runs in a process of its own, as the same user. Without it such a deployment fails.
        how_to_allow: the way to allow it that the failure names, such as a command line.
        isolate_tensorflow: whether TensorFlow too runs in a process of its own for each model, which costs a
            load of TensorFlow each; other runtimes always do.
        deadline: seconds that a scoring may take before it is ended and answered with a 504.
        page: whether `/` is a page for people, and `/page/` what it needs, at hosts that are not IBM Cloud's. It
            shows everything and scores without a token: for a server that only this machine can reach.
        any_space: whether a deployment space that a request names by an id that nobody made is made, active, with a
            warning. Without it such a request is refused with 404; one that was deleted always is.

    Attributes:
        crashes: the exceptions that were answered with a 500, for the run to report; each is a bug of the
            service.

    Raises:
        BadDataDir: the `data_dir` is another service's, cannot be written, or holds something else or what is
            damaged.
    """

    def __init__(
        self,
        *,
        spaces: Iterable[str] = (DEFAULT_SPACE_ID,),
        folder: Path | None = None,
        data_dir: Path | None = None,
        clock: Callable[[], float] = time.time,
        cpd_version: str = "5.0.3",
        json_limit: int = 100 << 20,
        allow_pickle: bool = False,
        how_to_allow: str = "EmbeddedWML(allow_pickle=True)",
        isolate_tensorflow: bool = False,
        deadline: float = 60.0,
        page: bool = False,
        any_space: bool = False,
    ) -> None:
        policy = Policy(allow_pickle, isolate_tensorflow, deadline, how_to_allow)
        settings = ServiceSettings(clock, cpd_version, json_limit, policy, any_space)
        self._home = temporary(folder) if data_dir is None else _lasting(data_dir)
        try:
            self._service = EmbeddedService(self._home, spaces, settings)
        except BaseException as problem:
            self._home.close()
            if data_dir is not None and isinstance(problem, (OSError, NotKept)):
                raise _unusable(data_dir, problem) from problem
            raise
        self.crashes = self._service.crashes
        self._page = _page_of(self._service) if page else None

    @property
    def warnings(self) -> list[str]:
        """Why the answers may differ from the real service's, each once, in the order it came up.

        A model that answered the same scoring in two ways, or with more or fewer answers than rows; one that was
        written by a package that the chosen software specification does not run; one of a type that nobody was seen to
        store with the specification.
        """
        return self._service.warnings.listed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Without the request in its own environ: such a circle is freed late, and there is one for each request.
        request = Request(environ, populate_request=False)
        # Both clients join relative links to their host with a slash too many.
        request.path = re.sub("/+", "/", request.path)
        response = self._answered(request)
        response.headers[embedded.HEADER] = embedded.header_value()
        _drain(request)
        return response(environ, start_response)

    def __enter__(self) -> EmbeddedWML:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def wait_for_loads(self, seconds: float) -> bool:
        """Wait until the load of a model has ended, at most so many seconds.

        Returns:
            whether one has ended since a deployment was last said to be `initializing`, or none is going on.
        """
        return self._service.scorers.wait(seconds)

    def interrupt(self) -> bool:
        """Give up the models that are being loaded, in a process that is about to end.

        Returns:
            whether any were.
        """
        return self._service.scorers.interrupt()

    def close(self) -> None:
        """Free the models, and remove the folder or leave the data folder to another; it answers no more after it."""
        self._service.close()
        self._home.close()

    def _answered(self, request: Request) -> Response:
        try:
            return self._handled(request)
        except Refusal as refusal:
            return refused(_status(refusal), refusal)
        except (NotFound, MethodNotAllowed):
            reason = unserved(_role(request), request.method, request.path)
            return refused(_status(reason), reason)
        except HTTPException as problem:
            # What werkzeug finds wrong while it reads the request, such as a body that ends too early.
            return refused(400, Invalid("invalid_request", problem.description or problem.name))
        except Exception as crash:  # noqa: BLE001 whatever breaks must not leave as a traceback
            self.crashes.append(crash)
            return refused(500, Refusal("internal_error", f"{EMBEDDED} met an unexpected error."))

    def _handled(self, request: Request) -> Response:
        role = _role(request)
        if self._page and role is Role.CPD and self._page.has(request.path):
            return self._page.answer(Call(request, role, self._service))
        route, ids = match(role, request.method, request.path)
        if not route.open:
            self._service.tokens.check(request.headers.get("Authorization"))
        call = Call(request, role, self._service)
        if route.role is Role.ML:
            call.check_version()
        return route.handler(call, **ids)


def _lasting(data_dir: Path) -> Home:
    # SQLite is loaded only where something is kept.
    from pytest_wml.emulator.storage import lasting

    return lasting(data_dir)


def _unusable(data_dir: Path, problem: Exception) -> Exception:
    from pytest_wml.emulator.storage import unusable

    return unusable(data_dir, problem)


def _page_of(service: EmbeddedService) -> Page:
    from pytest_wml.emulator.page import Page  # only a server has one

    service.scoring_log = ScoringLog(service.settings.clock)
    return Page(service.scoring_log)


def _role(request: Request) -> Role:
    return cloud_role(request.environ.get("HTTP_HOST", "")) or Role.CPD


def _status(refusal: Refusal) -> int:
    return next(_STATUSES[kind] for kind in type(refusal).__mro__ if kind in _STATUSES)


def _drain(request: Request) -> None:
    # A server that closes a connection with unread bytes resets it, and the client never sees the answer.
    with contextlib.suppress(HTTPException, OSError):
        read = 0
        while read < _DRAINED and (chunk := request.stream.read(1 << 16)):
            read += len(chunk)
