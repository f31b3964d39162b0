"""The request log of a run: who made each request, what was answered, and what must fail a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pytest_wml.errors import WMLTestError
from pytest_wml.interception.wsgi import Environ, WSGIApp

ANSWERED_BY = "pytest_wml.answered_by"
"""Where an answering app leaves its name in the WSGI environ."""

_ATTRIBUTION = "pytest_wml.attribution"


class Requester(NamedTuple):
    """The origin of a request.

    Args:
        kind: `session`, `module`, `fixture` or `test`.
        name: the name of the cassette that its own requests belong to; empty for requests on behalf of all (IBM's
            client being constructed), which every cassette of the run contains.
        where: a node id, or a fixture's name.
        home: for a fixture, where it is defined: two of one name may be two deployments.
    """

    kind: str
    name: str
    where: str
    home: str = ""


SESSION = Requester("session", "", "outside any test")


class Scope:
    """A period in which all requests belong to one requester: a with block, or two calls.

    Args:
        stack: the scopes that are open.
        make: returns the requester; called once, when it is first needed.
        cleanup: whether requests in it undo what was made: a fixture's teardown, the end of the run.
    """

    def __init__(self, stack: list[Scope], make: Callable[[], Requester], *, cleanup: bool) -> None:
        self._stack = stack
        self._make = make
        self._requester: Requester | None = None
        self._entered = False
        self.cleanup = cleanup

    @property
    def requester(self) -> Requester:
        """The requester of this scope."""
        if self._requester is None:
            self._requester = self._make()
        return self._requester

    def enter(self) -> None:
        """Open the scope."""
        self._entered = True
        self._stack.append(self)

    def leave(self) -> None:
        """Close the scope that was opened last; does nothing if this one was never opened."""
        if self._entered:
            self._stack.pop()

    def __enter__(self) -> Scope:
        self.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


class Scopes:
    """The open scopes, one inside the other."""

    def __init__(self) -> None:
        self._open: list[Scope] = []

    def of(self, make: Callable[[], Requester], *, cleanup: bool = False) -> Scope:
        """A scope that is not open yet."""
        return Scope(self._open, make, cleanup=cleanup)

    @property
    def requester(self) -> Requester:
        """The requester of a request made now, in any thread."""
        innermost = next(iter(self._open[-1:]), None)
        return innermost.requester if innermost is not None else SESSION

    @property
    def cleanup(self) -> bool:
        """Whether a request made now undoes what was made."""
        return any(scope.cleanup for scope in self._open)


def _ignore(error: WMLTestError) -> None:
    del error


class Attribution(NamedTuple):
    """Whose a request is, worked out when it arrives; it travels in the WSGI environ.

    Args:
        requester: the test, fixture or module.
        cleanup: whether the request undoes what was made.
        fail: reports an error that must fail the requester.
    """

    requester: Requester = SESSION
    cleanup: bool = False
    fail: Callable[[WMLTestError], None] = _ignore


def attribution(environ: Environ) -> Attribution:
    """The attribution of a request; that of no test for a request that passed no request log."""
    found: Attribution = environ.get(_ATTRIBUTION) or Attribution()
    return found


class Exchange(NamedTuple):
    """One request and what became of it."""

    requester: Requester
    method: str
    host: str
    path: str
    status: int
    answered_by: str
    seconds: float
    sent: int
    """Bytes of the request's body, where it said how many."""


class Failure(NamedTuple):
    """Something that must fail the test that caused it, even where IBM's client swallows it."""

    requester: Requester
    error: WMLTestError


class RequestLog:
    """A WSGI app in front of the answering one: attributes each request, and keeps exchanges and failures.

    Args:
        app: the app that answers.
        scopes: tell the requester.
    """

    def __init__(self, app: WSGIApp, scopes: Scopes | None = None) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._scopes = Scopes() if scopes is None else scopes
        self.exchanges: list[Exchange] = []
        self._failures: list[Failure] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        requester, begun, seen = self.requester, time.perf_counter(), [0]
        environ[_ATTRIBUTION] = Attribution(requester, self._scopes.cleanup, lambda error: self._keep(requester, error))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen[0] = int(status.split(" ", 1)[0])
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, start)
        finally:
            exchange = Exchange(
                requester=requester,
                method=environ["REQUEST_METHOD"],
                host=environ.get("HTTP_HOST", ""),
                path=environ["PATH_INFO"],
                status=seen[0],
                answered_by=environ.get(ANSWERED_BY, ""),
                seconds=time.perf_counter() - begun,
                sent=int(environ.get("CONTENT_LENGTH") or 0),
            )
            with self._lock:
                self.exchanges.append(exchange)

    @property
    def requester(self) -> Requester:
        """The requester of a request made now, in any thread."""
        return self._scopes.requester

    def requests_of(self, requester: Requester, *, cleanup: bool = False) -> Scope:
        """A with block in which all requests belong to this requester."""
        return self._scopes.of(lambda: requester, cleanup=cleanup)

    def fail(self, error: WMLTestError) -> None:
        """Keep an error that must fail the present requester."""
        self._keep(self.requester, error)

    def crashed(self, error: Exception) -> None:
        """Keep the error of an answering app that broke: a defect of ours, which must not pass unseen."""
        if isinstance(error, WMLTestError):
            self.fail(error)
            return
        self.fail(
            WMLTestError(
                "The app that answers IBM's client broke.",
                error=f"{type(error).__name__}: {error}",
                fix="this is a defect of pytest-wml; please report it with the lines above",
            )
        )

    def take_failures(self, requester: Requester | None = None) -> list[Failure]:
        """The failures, of one requester or of all; each is handed out once."""
        with self._lock:
            taken = [failure for failure in self._failures if requester in (None, failure.requester)]
            self._failures = [failure for failure in self._failures if failure not in taken]
        return taken

    def _keep(self, requester: Requester, error: WMLTestError) -> None:
        with self._lock:
            self._failures.append(Failure(requester, error))
