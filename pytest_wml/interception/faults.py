"""Injects faults into requests: errors, delays and cut connections, as a script defines them."""

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
"""Status → the service's own error code and message, where known; HTTP's phrase for all others."""
_REFUSING = ("token-expires", "status")
_DEPLOYMENTS = "/ml/v4/deployments"


class ConnectionCut(OSError):
    """The connection is cut in the middle of an answer; the server closes the socket."""


class ActiveFault:
    """A fault in use, with the counts of its requests.

    Args:
        fault: the fault.
        test: the test whose requests alone can get it; empty for all requests.

    Attributes:
        matched: requests that match it.
        injected: requests that got it.
        uses: digest of a token → requests with it.
        expired: digests of the tokens that count as expired.
    """

    def __init__(self, fault: Fault, test: str = "") -> None:
        self.fault = fault
        self.test = test
        self.matched = 0
        self.injected = 0
        self.uses: Counter[str] = Counter()
        self.expired: set[str] = set()

    def applies(self) -> bool:
        """Count a matching request; whether it gets the fault."""
        self.matched += 1
        exhausted = self.fault.times is not None and self.injected >= self.fault.times
        return self.fault.chosen(self.matched) and not exhausted

    def expires(self, token: str) -> bool:
        """Count a request with a token; whether the token counts as expired."""
        self.uses[token] += 1
        if token not in self.expired and self.uses[token] > self.fault.after:
            if self.fault.times is not None and len(self.expired) >= self.fault.times:
                return False
            self.expired.add(token)
        return token in self.expired

    def renew(self, token: str) -> None:
        """Reset the count of a token that was issued again, as a replayed run issues the same one each time."""
        self.uses.pop(token, None)
        if token in self.expired:
            self.expired.remove(token)
            self.expired.add(f"{token} {len(self.expired)}")


class Faults:
    """A WSGI app that passes requests to another app and injects the faults of a script.

    Each fault counts its requests in the order of arrival. Sequential requests get the same faults in every run. Of
    concurrent requests the same number gets a fault, but not always the same requests. A request that gets an error
    does not reach the app. A fault that changes, delays or cuts an answer does not keep the app from processing the
    request.

    Args:
        app: answers the requests.
        script: the faults for the requests of all tests.

    Attributes:
        injected: (fault and request, requester) → how often the fault was injected.
        unmet: faults of a test that no request matched, with the test.
    """

    def __init__(self, app: WSGIApp, script: Iterable[Fault] = ()) -> None:
        self._app = app
        self._active = [ActiveFault(fault) for fault in script]
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.injected: Counter[tuple[str, str]] = Counter()
        self.unmet: dict[str, None] = {}

    @contextlib.contextmanager
    def for_test(self, script: Iterable[Fault], test: str) -> Iterator[list[ActiveFault]]:
        """Inject faults into a test's own requests inside the with block, before the faults of all tests."""
        active = [ActiveFault(fault, test) for fault in script]
        with self._lock:
            self._active = [*active, *self._active]
        try:
            yield active
        finally:
            with self._lock:
                self._active = [other for other in self._active if other not in active]

    def close(self) -> None:
        """End all delays."""
        self._closed.set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = _Request(environ, attribution(environ).requester)
        seconds, refusal = self._before(request)
        if seconds:
            self._closed.wait(seconds)
        if refusal is not None:
            environ[ANSWERED_BY] = "faults"
            return _refused(start_response, refusal)
        after = [active for active in self._matching(request) if active.fault.kind not in (*_REFUSING, "slow")]
        if not after and not (request.for_token and self._active):
            return self._app(environ, start_response)
        return self._changed(request, after, environ, start_response)

    def _matching(self, request: _Request) -> list[ActiveFault]:
        return [active for active in list(self._active) if request.matches(active)]

    def _before(self, request: _Request) -> tuple[float, Fault | None]:
        """Seconds to delay the request, and the error that answers it."""
        seconds, refusal = 0.0, None
        with self._lock:
            for active in self._matching(request):
                fault = active.fault
                if fault.kind == "slow" and active.applies():
                    seconds += fault.seconds
                    self._count(active, request, f"{fault.seconds:g} s late")
                elif fault.kind == "token-expires":
                    if active.expires(request.token) and refusal is None:
                        refusal = fault
                        self._count(active, request, "401, token expired,")
                elif fault.kind == "status" and active.applies() and refusal is None:
                    refusal = fault
                    self._count(active, request, str(fault.code))
        return seconds, refusal

    def _changed(
        self, request: _Request, after: list[ActiveFault], environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The app's answer, changed or cut."""
        status, headers, body = whole(self._app, environ)
        if request.for_token:
            self._renew_tokens(body)
        cut: Fault | None = None
        with self._lock:
            for active in after:
                if active.fault.kind == "cut":
                    if body and active.applies() and cut is None:
                        cut = active.fault
                        self._count(active, request, "connection cut")
                    continue
                changed = _with_state(active, body) if status[:1] == "2" else body
                if changed is not body:
                    body = changed
                    self._count(active, request, active.fault.kind)
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        bodiless = not body and status[:3] in ("204", "304")
        start_response(status, others if bodiless else [*others, ("Content-Length", str(len(body)))])
        return _cut(body, cut.after_bytes) if cut is not None else [body]

    def _renew_tokens(self, body: bytes) -> None:
        """Reset the counts of the tokens in an answer."""
        with contextlib.suppress(ValueError, RecursionError), self._lock:
            document = json.loads(body)
            for value in document.values() if isinstance(document, dict) else ():
                if isinstance(value, str):
                    for active in self._active:
                        active.renew(_digest(value))

    def _count(self, active: ActiveFault, request: _Request, effect: str) -> None:
        active.injected += 1
        self.injected[f"{effect} on {request}", request.requester.where] += 1


class _Request:
    """The properties of a request that decide which faults match it."""

    def __init__(self, environ: Environ, requester: Requester) -> None:
        self.requester = requester
        self._method = str(environ["REQUEST_METHOD"])
        self._path = path_of(environ)
        self.for_token = tokens.is_authentication(self._path)
        self.token = _digest(environ.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2])
        self._has_token = "HTTP_AUTHORIZATION" in environ and not self.for_token

    def matches(self, active: ActiveFault) -> bool:
        """Whether a fault applies to requests like this one."""
        fault = active.fault
        if active.test and (self.requester.kind != "test" or self.requester.where != active.test):
            return False
        if fault.kind == "token-expires":
            return self._has_token
        if fault.kind.startswith("deployment-"):
            return resource(self._path) == _DEPLOYMENTS and self._method == "GET"
        return fault.on.matches(self._method, self._path, for_token=self.for_token)

    def __str__(self) -> str:
        return f"{self._method} …/{resource(self._path).rpartition('/')[2]}"


def _digest(token: str) -> str:
    """The digest that identifies a token, since no token is stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _refused(start_response: Callable[..., Any], fault: Fault) -> Iterable[bytes]:
    code = fault.code or 401
    phrase = HTTPStatus(code).phrase
    name, message = _CODES.get(code, (phrase.lower().replace(" ", "_").replace("-", "_"), phrase))

    def start(status: str, headers: list[tuple[str, str]]) -> Any:
        retry_after = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
        return start_response(status, [*headers, *retry_after])

    return send_error(start, code, name, f"{message} (injected fault: {fault.kind})")


def _cut(body: bytes, passed: int) -> Iterator[bytes]:
    """Yield an incomplete body, then cut the connection."""
    if kept := body[: min(passed, len(body) - 1)]:
        yield kept
    raise ConnectionCut("injected fault")


def _with_state(active: ActiveFault, body: bytes) -> bytes:
    """An answer with its deployments in the state of the fault; the same object if it lists no such deployment."""
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
        if isinstance(status, dict) and active.fault.name in ("", entity.get("name")) and active.applies():
            changed = True
            _set_state(active.fault, status)
    return json.dumps(document).encode("utf-8") if changed else body


def _set_state(fault: Fault, status: dict[str, Any]) -> None:
    """Set a deployment's status as the service does: scoring URLs only when it is ready, `failure` with a reason."""
    for name in ("failure", "message"):
        status.pop(name, None)
    if fault.kind == "deployment-stuck":
        for name in ("serving_urls", "inference"):
            status.pop(name, None)
        status["state"] = "initializing"
        return
    status["state"] = "failed"
    status["failure"] = {"trace": "0" * 32, "errors": [{"code": "load_model_failure", "message": fault.reason}]}
