"""The request log of a run: the requester and the answer of each request, and the failures to report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pytest_wml.errors import WMLTestError
from pytest_wml.interception.wsgi import Environ, WSGIApp

ANSWERED_BY = "pytest_wml.answered_by"
"""Key in the WSGI environ: the name of the app that answered."""

_ATTRIBUTION = "pytest_wml.attribution"


class Requester(NamedTuple):
    """The origin of a request.

    Args:
        kind: `session`, `module`, `fixture` or `test`.
        name: the name of the cassette that its requests belong to; empty for shared requests (of the construction of
            IBM's client), which every cassette of the run contains.
        where: a node id, or a fixture's name.
        defined_in: for a fixture, the place of its definition, since several fixtures may have one name.
    """

    kind: str
    name: str
    where: str
    defined_in: str = ""


SESSION = Requester("session", "", "outside any test")


class RequesterScope:
    """A period in which all requests belong to one requester: a with block, or two calls.

    Args:
        stack: the open scopes.
        find: returns the requester; called once, when it is first needed.
        cleanup: whether requests in it delete resources: in a fixture's teardown, at the end of the run.
    """

    def __init__(self, stack: list[RequesterScope], find: Callable[[], Requester], *, cleanup: bool) -> None:
        self._stack = stack
        self._find = find
        self._requester: Requester | None = None
        self._entered = False
        self.cleanup = cleanup

    @property
    def requester(self) -> Requester:
        """The requester of this scope."""
        if self._requester is None:
            self._requester = self._find()
        return self._requester

    def enter(self) -> None:
        """Open the scope."""
        self._entered = True
        self._stack.append(self)

    def leave(self) -> None:
        """Close the innermost scope; does nothing if this scope was never opened."""
        if self._entered:
            self._stack.pop()

    def __enter__(self) -> RequesterScope:
        self.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


class RequesterScopes:
    """The stack of open scopes."""

    def __init__(self) -> None:
        self._open: list[RequesterScope] = []

    def of(self, find: Callable[[], Requester], *, cleanup: bool = False) -> RequesterScope:
        """A new scope, not yet open."""
        return RequesterScope(self._open, find, cleanup=cleanup)

    @property
    def requester(self) -> Requester:
        """The requester of the current requests of all threads."""
        innermost = next(iter(self._open[-1:]), None)
        return innermost.requester if innermost is not None else SESSION

    @property
    def cleanup(self) -> bool:
        """Whether current requests delete resources."""
        return any(scope.cleanup for scope in self._open)


def _ignore(error: WMLTestError) -> None:
    del error


class Attribution(NamedTuple):
    """The origin of a request, found on arrival and passed on in the WSGI environ.

    Args:
        requester: the test, fixture or module.
        cleanup: whether the request deletes resources.
        fail: reports an error that must fail the requester.
    """

    requester: Requester = SESSION
    cleanup: bool = False
    fail: Callable[[WMLTestError], None] = _ignore


def attribution(environ: Environ) -> Attribution:
    """The attribution of a request; that of `SESSION` for a request that passed no request log."""
    attributed: Attribution = environ.get(_ATTRIBUTION) or Attribution()
    return attributed


class Exchange(NamedTuple):
    """One request and its answer.

    Args:
        requester: the test, fixture or module.
        method: HTTP method.
        host: header `Host`.
        path: without the query.
        status: HTTP status of the answer.
        answered_by: a cassette's name, `embedded`, `live` or `minted`.
        seconds: until the app returned.
        sent: bytes of the request's body, by its `Content-Length`.
    """

    requester: Requester
    method: str
    host: str
    path: str
    status: int
    answered_by: str
    seconds: float
    sent: int


class RequestFailure(NamedTuple):
    """An error that must fail its requester, even if IBM's client catches it."""

    requester: Requester
    error: WMLTestError


class RequestLog:
    """A WSGI app that passes each request to another app, attributes it, and stores exchanges and failures.

    Args:
        app: answers the requests.
        scopes: the scopes that determine the requester.
    """

    def __init__(self, app: WSGIApp, scopes: RequesterScopes | None = None) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._scopes = RequesterScopes() if scopes is None else scopes
        self.exchanges: list[Exchange] = []
        self._failures: list[RequestFailure] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        requester, begun, answered = self.requester, time.perf_counter(), [0]
        environ[_ATTRIBUTION] = Attribution(requester, self._scopes.cleanup, lambda error: self._add(requester, error))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answered[0] = int(status.split(" ", 1)[0])
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, start)
        finally:
            exchange = Exchange(
                requester=requester,
                method=environ["REQUEST_METHOD"],
                host=environ.get("HTTP_HOST", ""),
                path=environ["PATH_INFO"],
                status=answered[0],
                answered_by=environ.get(ANSWERED_BY, ""),
                seconds=time.perf_counter() - begun,
                sent=int(environ.get("CONTENT_LENGTH") or 0),
            )
            with self._lock:
                self.exchanges.append(exchange)

    @property
    def requester(self) -> Requester:
        """The requester of the current requests of all threads."""
        return self._scopes.requester

    def requests_of(self, requester: Requester, *, cleanup: bool = False) -> RequesterScope:
        """A with block in which all requests belong to this requester."""
        return self._scopes.of(lambda: requester, cleanup=cleanup)

    def fail(self, error: WMLTestError) -> None:
        """Store an error that must fail the current requester."""
        self._add(self.requester, error)

    def crashed(self, error: Exception) -> None:
        """Store an exception that the answering app raised: a defect of pytest-wml, which must fail a test."""
        if isinstance(error, WMLTestError):
            self.fail(error)
            return
        self.fail(
            WMLTestError(
                "The app that answers IBM's client raised an exception.",
                error=f"{type(error).__name__}: {error}",
                fix="this is a defect of pytest-wml; please report it with the lines above",
            )
        )

    def take_failures(self, requester: Requester | None = None) -> list[RequestFailure]:
        """Return the failures of one requester or of all, and remove them."""
        with self._lock:
            taken = [failure for failure in self._failures if requester in (None, failure.requester)]
            self._failures = [failure for failure in self._failures if failure not in taken]
        return taken

    def _add(self, requester: Requester, error: WMLTestError) -> None:
        with self._lock:
            self._failures.append(RequestFailure(requester, error))
