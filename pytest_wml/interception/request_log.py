"""Every exchange of a run: who asked, what was answered and by whom; and what nothing answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pytest_wml.errors import WMLTestError
from pytest_wml.interception.requester import SESSION, Asker, Turn, Turns
from pytest_wml.interception.wsgi import Environ, WSGIApp

ANSWERED_BY = "pytest_wml.answered_by"
"""Where an answering app leaves its name in the WSGI environ."""


class Exchange(NamedTuple):
    """One request and what became of it."""

    asker: Asker
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

    asker: Asker
    error: WMLTestError


class Ledger:
    """A WSGI app in front of the answering one, that writes down what passes.

    Args:
        app: the app that answers.
        turns: whose turn it is to ask, where others keep account of it.
    """

    def __init__(self, app: WSGIApp, turns: Turns | None = None) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._turns = Turns() if turns is None else turns
        self.exchanges: list[Exchange] = []
        self._failures: list[Failure] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        asker, begun, seen = self.asker, time.perf_counter(), [0]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen[0] = int(status.split(" ", 1)[0])
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, start)
        finally:
            exchange = Exchange(
                asker=asker,
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
    def asker(self) -> Asker:
        """Who asks now, in whatever thread."""
        return self._turns.asker or SESSION

    @property
    def ending(self) -> bool:
        """Whether what is asked now puts back what was made: a fixture's teardown, the end of the run."""
        return self._turns.ending

    def asking(self, asker: Asker, *, ending: bool = False) -> Turn:
        """Everything asked inside is asked by this asker, in its teardown where it is ending."""
        return self._turns.of(lambda: asker, ending=ending)

    def fail(self, error: WMLTestError) -> None:
        """Remember an error that must fail whoever asks now."""
        with self._lock:
            self._failures.append(Failure(self.asker, error))

    def crashed(self, error: Exception) -> None:
        """Remember that an answering app broke: a defect of ours, which must not pass unseen."""
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

    def take_failures(self, asker: Asker | None = None) -> list[Failure]:
        """What failed, of one asker or of all; each failure is handed out once."""
        with self._lock:
            taken = [failure for failure in self._failures if asker in (None, failure.asker)]
            self._failures = [failure for failure in self._failures if failure not in taken]
        return taken
