"""Faults in front of an answering app: errors, delays and cut connections that a script asks for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from pytest_wml.config.fault_rules import Fault, resource
from pytest_wml.interception.messages import path_of, send_error, whole
from pytest_wml.interception.request_log import ANSWERED_BY, Requester, attribution
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.wml import tokens

_CODES = {
    401: ("authentication_token_expired", "Failed to authenticate the request due to an expired token"),
    403: ("authorization_rejected", "The request is not authorized"),
}
"""The service's own codes, where they are known; elsewhere HTTP's phrase."""
_REFUSING = ("token-expires", "status")
_DEPLOYMENTS = "/ml/v4/deployments"


class ConnectionCut(OSError):
    """The connection ends here, in the middle of an answer: whoever serves the app closes the socket."""


class Armed:
    """A fault that waits for its requests, and what has become of it.

    Args:
        fault: what is asked for.
        only: the test whose requests alone can get it; empty for all.
    """

    def __init__(self, fault: Fault, only: str = "") -> None:
        self.fault = fault
        self.only = only
        self.met = 0
        self.injected = 0
        self.asked: Counter[str] = Counter()
        """Requests with each token, the tokens by their digests."""
        self.expired: set[str] = set()

    def due(self) -> bool:
        """Count a request that is meant, and tell whether it gets the fault."""
        self.met += 1
        spent = self.fault.times is not None and self.injected >= self.fault.times
        return self.fault.chosen(self.met) and not spent

    def expires(self, token: str) -> bool:
        """Count a request with a token, and tell whether it comes too late."""
        self.asked[token] += 1
        if token not in self.expired and self.asked[token] > self.fault.after:
            if self.fault.times is not None and len(self.expired) >= self.fault.times:
                return False
            self.expired.add(token)
        return token in self.expired

    def renewed(self, token: str) -> None:
        """A token was given anew: a replayed run has the same one each time."""
        self.asked.pop(token, None)
        if token in self.expired:
            self.expired.remove(token)
            self.expired.add(f"{token} {len(self.expired)}")


class Faults:
    """A WSGI app that answers as another one does, but for the faults of a script.

    Requests are counted a fault, in the order in which they come. Asked one after the other, the same requests
    get the same faults in every run. Asked at the same time, as many of them get one; which ones, chance decides.
    A request that gets an error never reaches the app. A fault that changes, delays or cuts an answer leaves the
    app to do what it was asked.

    Args:
        app: the app that answers.
        script: the faults for every request.
    """

    def __init__(self, app: WSGIApp, script: Iterable[Fault] = ()) -> None:
        self._app = app
        self._armed = [Armed(fault) for fault in script]
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.injected: Counter[tuple[str, str]] = Counter()
        """How often which fault met which request, and who asked it."""
        self.unmet: dict[str, None] = {}
        """Faults that a test asked for and never met, with the test."""

    @contextlib.contextmanager
    def during(self, script: Iterable[Fault], test: str) -> Iterator[list[Armed]]:
        """The faults of one test, for what it asks itself; the run's own faults come after them."""
        armed = [Armed(fault, test) for fault in script]
        with self._lock:
            self._armed = [*armed, *self._armed]
        try:
            yield armed
        finally:
            with self._lock:
                self._armed = [other for other in self._armed if other not in armed]

    def close(self) -> None:
        """End what is being held back."""
        self._closed.set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = _Request(environ, attribution(environ).requester)
        seconds, refusal = self._before(request)
        if seconds:
            self._closed.wait(seconds)
        if refusal is not None:
            environ[ANSWERED_BY] = "faults"
            return _refused(start_response, refusal)
        after = [armed for armed in self._meant(request) if armed.fault.kind not in (*_REFUSING, "slow")]
        if not after and not (request.for_token and self._armed):
            return self._app(environ, start_response)
        return self._changed(request, after, environ, start_response)

    def _meant(self, request: _Request) -> list[Armed]:
        return [armed for armed in list(self._armed) if request.is_meant(armed)]

    def _before(self, request: _Request) -> tuple[float, Fault | None]:
        """Seconds to hold the request back, and the error that it gets."""
        seconds, refusal = 0.0, None
        with self._lock:
            for armed in self._meant(request):
                fault = armed.fault
                if fault.kind == "slow" and armed.due():
                    seconds += fault.seconds
                    self._note(armed, request, f"{fault.seconds:g} s late")
                elif fault.kind == "token-expires":
                    if armed.expires(request.token) and refusal is None:
                        refusal = fault
                        self._note(armed, request, "401, token expired,")
                elif fault.kind == "status" and armed.due() and refusal is None:
                    refusal = fault
                    self._note(armed, request, str(fault.code))
        return seconds, refusal

    def _changed(
        self, request: _Request, after: list[Armed], environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        status, headers, body = whole(self._app, environ)
        if request.for_token:
            self._renew(body)
        cut: Fault | None = None
        with self._lock:
            for armed in after:
                if armed.fault.kind == "cut":
                    if body and armed.due() and cut is None:
                        cut = armed.fault
                        self._note(armed, request, "connection cut")
                    continue
                changed = _told(armed, body) if status[:1] == "2" else body
                if changed is not body:
                    body = changed
                    self._note(armed, request, armed.fault.kind)
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        bodiless = not body and status[:3] in ("204", "304")
        start_response(status, others if bodiless else [*others, ("Content-Length", str(len(body)))])
        return _cut(body, cut.after_bytes) if cut is not None else [body]

    def _renew(self, body: bytes) -> None:
        """Learn that tokens were given."""
        with contextlib.suppress(ValueError, RecursionError), self._lock:
            document = json.loads(body)
            for value in document.values() if isinstance(document, dict) else ():
                if isinstance(value, str):
                    for armed in self._armed:
                        armed.renewed(_digest(value))

    def _note(self, armed: Armed, request: _Request, what: str) -> None:
        armed.injected += 1
        self.injected[f"{what} on {request}", request.requester.where] += 1


class _Request:
    """What faults look at in a request."""

    def __init__(self, environ: Environ, requester: Requester) -> None:
        self.requester = requester
        self._method = str(environ["REQUEST_METHOD"])
        self._path = path_of(environ)
        self.for_token = tokens.is_authentication(self._path)
        self.token = _digest(environ.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2])
        self._has_token = "HTTP_AUTHORIZATION" in environ and not self.for_token

    def is_meant(self, armed: Armed) -> bool:
        """Whether a fault may be for it."""
        fault = armed.fault
        if armed.only and (self.requester.kind != "test" or self.requester.where != armed.only):
            return False
        if fault.kind == "token-expires":
            return self._has_token
        if fault.kind.startswith("deployment-"):
            return resource(self._path) == _DEPLOYMENTS and self._method == "GET"
        return fault.on.matches(self._method, self._path, for_token=self.for_token)

    def __str__(self) -> str:
        return f"{self._method} …/{resource(self._path).rpartition('/')[2]}"


def _digest(token: str) -> str:
    """What a token is told from others by: none is kept."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _refused(start_response: Callable[..., Any], fault: Fault) -> Iterable[bytes]:
    code = fault.code or 401
    phrase = HTTPStatus(code).phrase
    name, message = _CODES.get(code, (phrase.lower().replace(" ", "_").replace("-", "_"), phrase))

    def start(status: str, headers: list[tuple[str, str]]) -> Any:
        late = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
        return start_response(status, [*headers, *late])

    return send_error(start, code, name, f"{message} (a fault that this run asked for: {fault.kind})")


def _cut(body: bytes, passed: int) -> Iterator[bytes]:
    """Less than the whole body, and then the end of the connection."""
    if kept := body[: min(passed, len(body) - 1)]:
        yield kept
    raise ConnectionCut("a fault that this run asked for")


def _told(armed: Armed, body: bytes) -> bytes:
    """An answer about deployments, its deployments in the state that the fault asks for; else the same object."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    single = [document] if isinstance(document, dict) else []
    listed = document.get("resources") if single else None
    changed = False
    for deployment in listed if isinstance(listed, list) else single:
        entity: Any = deployment.get("entity") if isinstance(deployment, dict) else None
        status = entity.get("status") if isinstance(entity, dict) else None
        if isinstance(status, dict) and armed.fault.name in ("", entity.get("name")) and armed.due():
            changed = True
            _set_state(armed.fault, status)
    return json.dumps(document).encode("utf-8") if changed else body


def _set_state(fault: Fault, status: dict[str, Any]) -> None:
    """The status as the service writes it: places to score at only once there are some, `failure` with its reason."""
    for name in ("failure", "message"):
        status.pop(name, None)
    if fault.kind == "deployment-stuck":
        for name in ("serving_urls", "inference"):
            status.pop(name, None)
        status["state"] = "initializing"
        return
    status["state"] = "failed"
    status["failure"] = {"trace": "0" * 32, "errors": [{"code": "load_model_failure", "message": fault.reason}]}
