"""Checks the connection to a host: name, TCP, certificate, proxy. Only TLS and proxy messages are sent."""

from __future__ import annotations

import base64
import contextlib
import os
import queue
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException, HTTPSConnection
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from pytest_wml.config import similar_names, stopped_server
from pytest_wml.errors import BadOption
from pytest_wml.tools.doctor.lines import Line, failed, passed

T = TypeVar("T")
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables of requests and OpenSSL for trusted authorities, in order of precedence."""


class Proxy(NamedTuple):
    """A proxy from the environment.

    Args:
        secret: user and password from its URL, still URL-encoded; empty for none.
    """

    host: str
    port: int
    secret: str = ""

    @property
    def headers(self) -> dict[str, str]:
        if not self.secret:
            return {}
        word = base64.b64encode(unquote(self.secret).encode()).decode()
        return {"Proxy-Authorization": f"Basic {word}"}


class HostRoute(NamedTuple):
    """How to connect to a host.

    Args:
        proxy: the proxy; None for a direct connection.
        trust: the trusted certificates.
        seconds: time limit of one step.
    """

    host: str
    port: int
    proxy: Proxy | None
    trust: ssl.SSLContext
    seconds: float

    def connection(self) -> HTTPSConnection:
        """Create a connection, not opened yet, that verifies the certificate."""
        first = (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)
        connection = HTTPSConnection(*first, timeout=self.seconds, context=self.trust)
        if self.proxy:
            connection.set_tunnel(self.host, self.port, self.proxy.headers)
        return connection


def trust(file: str, environ: Mapping[str, str]) -> tuple[ssl.SSLContext, str]:
    """The trusted certificates and a description of their source: the file, the environment, or Python.

    Raises:
        BadOption: the file is missing or invalid.
    """
    target = [("--ca", file), *((name, environ.get(name, "")) for name in _CA_VARIABLES)]
    source, path = next(((source, path) for source, path in target if path), ("", ""))
    try:
        if not path:
            context = ssl.create_default_context()
            with contextlib.suppress(ImportError):
                import certifi

                context.load_verify_locations(certifi.where())
            return context, "the authorities that Python trusts"
        folder = os.path.isdir(path)
        context = ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
        return context, f"the authorities in {path} (from {source})"
    except (OSError, ssl.SSLError) as error:
        lost = stopped_server.lost_authority(environ) if source != "--ca" else None
        if lost is not None:
            raise BadOption(lost.problem, fix=lost.fix) from None
        raise BadOption(
            f"The certificates in {path} cannot be read ({source}).",
            reason=getattr(error, "strerror", None) or type(error).__name__,
            there_is=similar_names.files(path),
            fix="give a PEM file with the authority's certificate",
        ) from None


def proxy_for(host: str) -> Proxy | None:
    """The proxy for a host, from the environment."""
    name = host.rpartition(":")[0] or host
    url = urllib.request.getproxies().get("https")
    if not url or urllib.request.proxy_bypass(name):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    secret = parts.netloc.rpartition("@")[0]
    return Proxy(parts.hostname or "", parts.port or 80, secret)


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call with a time limit, and return its result or raise its error.

    Raises:
        TimeoutError: the call took longer.
    """
    answers: queue.Queue[tuple[T | None, Exception | None]] = queue.Queue()

    def work() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again below, in the calling thread
            answers.put((None, error))

    # A name look-up has no time limit, and a slow server may reset that of a socket with each byte.
    threading.Thread(target=work, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def lines(route: HostRoute, trusted: str) -> Iterator[Line]:
    """Yield the checks of name, connection and certificate of a host, up to the first failure."""
    target = route.proxy or route
    place = f"{target.host}:{target.port}"
    if route.proxy:
        yield passed(f"proxy for {route.host}", place)
    try:
        found = within(route.seconds, lambda: socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        yield failed(f"name {target.host}", _error_text(error), "check the host's name in WML_URL, the VPN and the DNS")
        return
    yield passed(f"name {target.host}", ", ".join(dict.fromkeys(str(each[4][0]) for each in found)))
    try:
        within(route.seconds, lambda: socket.create_connection((target.host, target.port), route.seconds).close())
    except OSError as error:
        gone = None if route.proxy else stopped_server.gone(f"https://{place}", os.environ)
        fix = gone.fix if gone else "check the port, the firewall and HTTPS_PROXY; the service may be down"
        yield failed(f"connection {place}", gone.problem if gone else _error_text(error), fix)
        return
    yield passed(f"connection {place}", "accepted")
    yield _tls(route, trusted)


def _tls(route: HostRoute, trusted: str) -> Line:
    check, connection = f"TLS {route.host}", route.connection()

    def handshake() -> Any:
        try:
            connection.connect()
            sock: Any = connection.sock
            return sock.version(), sock.getpeercert()
        finally:
            connection.close()

    try:
        version, certificate = within(2 * route.seconds, handshake)
    except ssl.SSLCertVerificationError as error:
        fix = "give the authority's certificate by --ca or REQUESTS_CA_BUNDLE; verification cannot be switched off"
        return failed(check, f"the certificate is not trusted by {trusted}: {error.verify_message}", fix)
    except (OSError, HTTPException) as error:
        problem = "the proxy does not connect to this host" if route.proxy else "the TLS handshake failed"
        return failed(check, f"{problem}: {_error_text(error)}", "check the port, and that the proxy allows this host")
    return passed(check, f"{version}, trusted by {trusted}, certificate until {certificate.get('notAfter', '?')}")


def _error_text(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
