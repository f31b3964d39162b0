"""The connection to the real service: verified TLS, each request sent once; and which requests are not for WML."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

import requests

from pytest_wml.config import stopped_server
from pytest_wml.errors import WMLTestError
from pytest_wml.interception import IBMS_CLIENT, direct_connections
from pytest_wml.interception.messages import MISSED, UNANSWERED, path_of, send_error
from pytest_wml.interception.request_log import ANSWERED_BY, attribution
from pytest_wml.interception.wsgi import Environ
from pytest_wml.wml.hosts import Role, cloud_role

_CONNECT, _READ = 10.0, 300.0
_GUESSED = "/idprovider/v1/auth/identitytoken"
"""At a Cloud Pak for Data IBM's client guesses a host for it, which few have, and goes on without."""
_NOT_FORWARDED = frozenset(
    {"connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade", "host", "content-length", "accept-encoding"}
)  # fmt: skip
_NOT_RETURNED = frozenset({"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length"})
_LONGEST_FORM = 1 << 16


class ServiceUnreachable(WMLTestError):
    """The live service did not answer."""


class Live:
    """A WSGI app that passes requests on to the host that they are meant for.

    TLS is verified whatever IBM's client wants: its own fallback, to send everything again without
    verification after any error of the network, never sees such an error.

    Args:
        verify: a file with the certificates of further authorities; otherwise those that requests trusts.
    """

    def __init__(self, verify: str | None = None) -> None:
        self._session = requests.Session()
        # Otherwise requests takes credentials from ~/.netrc and puts them over the client's own.
        self._session.auth = lambda request: request
        self._verify: str | bool = verify or True

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ["HTTP_HOST"]
        environ[ANSWERED_BY] = "live"
        try:
            with direct_connections():
                answer = self._pass_on(environ, host)
        except (requests.RequestException, OSError) as error:
            if path_of(environ) == _GUESSED:
                return send_error(start_response, 404, "not_found", f"Nobody answers at {host}.")
            problem = _unreachable(host, f"{environ['REQUEST_METHOD']} {path_of(environ)}", error)
            environ[UNANSWERED] = True
            attribution(environ).fail(problem)
            return send_error(start_response, MISSED, "service_unreachable", str(problem))
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_RETURNED]
        start_response(f"{answer.status_code} {answer.reason}", headers)
        return _blocks(answer)

    def close(self) -> None:
        """Close the connections to the service."""
        self._session.close()

    def _pass_on(self, environ: Environ, host: str) -> requests.Response:
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        return self._session.request(
            environ["REQUEST_METHOD"],
            f"https://{host}{environ['REQUEST_URI'].partition('?')[0]}{query}",
            data=_Sent.of(environ),
            headers={**_headers(environ), "Accept-Encoding": "identity"},
            stream=True,
            allow_redirects=False,
            verify=self._verify,
            timeout=(_CONNECT, _READ),
        )


def _unreachable(host: str, request: str, error: Exception) -> ServiceUnreachable:
    with direct_connections():
        found = stopped_server.lost_authority(os.environ) or stopped_server.gone(f"https://{host}", os.environ)
    if found is not None:
        return ServiceUnreachable(found.problem, request=request, fix=found.fix)
    return ServiceUnreachable(
        f"The live service at {host} did not answer.",
        request=request,
        reason=type(error).__name__,
        fix="check WML_URL, the network and the proxy; a private authority's certificate is named by\n"
        "--wml-ca (or REQUESTS_CA_BUNDLE); verification is never switched off",
    )


class _Sent:
    """A request's body as requests sends it: of known length where the client said one."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._length = length

    @classmethod
    def of(cls, environ: Environ) -> Any:
        if environ.get("CONTENT_LENGTH"):
            return cls(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))
        if "HTTP_TRANSFER_ENCODING" in environ:
            return iter(lambda: environ["wsgi.input"].read(1 << 16), b"")
        return None

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        return bytes(self._stream.read(size))

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(1 << 16), b"")


def _headers(environ: Environ) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    return {name: value for name, value in headers.items() if name.lower() not in _NOT_FORWARDED}


def _blocks(answer: requests.Response) -> Iterator[bytes]:
    with answer:
        yield from answer.iter_content(1 << 16)


def is_for_another_service(environ: Environ, own_keys: Iterable[str]) -> bool:
    """Whether a request asks IAM for something that is not WML's: not by IBM's WML client, not with WML's key.

    Args:
        environ: of the request; its body can still be read afterwards.
        own_keys: the API keys of the WML credentials.
    """
    if environ.get(IBMS_CLIENT) or cloud_role(environ["HTTP_HOST"]) is not Role.IAM:
        return False
    body = environ["wsgi.input"].read(_LONGEST_FORM)
    environ["wsgi.input"] = io.BytesIO(body)
    given = parse_qs(body.decode("utf-8", "replace")).get("apikey", [])
    return not set(given) & set(own_keys)
