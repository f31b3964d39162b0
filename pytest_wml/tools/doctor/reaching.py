"""The way to a host: name, connection, certificate, proxy. Nothing is sent but what TLS and a proxy need."""

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
"""Where requests and OpenSSL look for authorities to trust, in this order."""


class Proxy(NamedTuple):
    """A proxy that the environment names.

    Args:
        secret: user and password for it, as they stand in its URL; empty for none.
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


class Way(NamedTuple):
    """How to get to a host.

    Args:
        proxy: None where there is none in between.
        trust: which certificates are believed.
        seconds: the longest that one step may take.
    """

    host: str
    port: int
    proxy: Proxy | None
    trust: ssl.SSLContext
    seconds: float

    def connection(self) -> HTTPSConnection:
        """A connection that is not open yet; its certificate is verified."""
        first = (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)
        made = HTTPSConnection(*first, timeout=self.seconds, context=self.trust)
        if self.proxy:
            made.set_tunnel(self.host, self.port, self.proxy.headers)
        return made


def trust(file: str, environ: Mapping[str, str]) -> tuple[ssl.SSLContext, str]:
    """Whose certificates are believed, and what says so: the file, the environment, or this Python.

    Raises:
        BadOption: the file that is named cannot be used.
    """
    named = [("--ca", file), *((name, environ.get(name, "")) for name in _CA_VARIABLES)]
    source, path = next(((source, path) for source, path in named if path), ("", ""))
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
            fix="name a PEM file with the authority's certificate",
        ) from None


def proxy_for(host: str) -> Proxy | None:
    """The proxy that the environment names for a host."""
    name = host.rpartition(":")[0] or host
    url = urllib.request.getproxies().get("https")
    if not url or urllib.request.proxy_bypass(name):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    secret = parts.netloc.rpartition("@")[0]
    return Proxy(parts.hostname or "", parts.port or 80, secret)


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns, or raises; whatever it does, this takes no longer.

    Raises:
        TimeoutError: it took longer.
    """
    answers: queue.Queue[tuple[T | None, Exception | None]] = queue.Queue()

    def work() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that asked
            answers.put((None, error))

    # A look-up cannot be given a time; a server may send a byte now and then.
    threading.Thread(target=work, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def lines(way: Way, trusted: str) -> Iterator[Line]:
    """Yield name, connection and certificate of a host; after the first that fails, no more."""
    named = way.proxy or way
    place = f"{named.host}:{named.port}"
    if way.proxy:
        yield passed(f"proxy for {way.host}", place)
    try:
        found = within(way.seconds, lambda: socket.getaddrinfo(named.host, named.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        yield failed(f"name {named.host}", _why(error), "check the host's name in WML_URL, the VPN and the DNS")
        return
    yield passed(f"name {named.host}", ", ".join(dict.fromkeys(str(each[4][0]) for each in found)))
    try:
        within(way.seconds, lambda: socket.create_connection((named.host, named.port), way.seconds).close())
    except OSError as error:
        gone = None if way.proxy else stopped_server.gone(f"https://{place}", os.environ)
        fix = gone.fix if gone else "check the port, the firewall and HTTPS_PROXY; the service may be down"
        yield failed(f"connection {place}", gone.problem if gone else _why(error), fix)
        return
    yield passed(f"connection {place}", "accepted")
    yield _tls(way, trusted)


def _tls(way: Way, trusted: str) -> Line:
    check, connection = f"TLS {way.host}", way.connection()

    def shake() -> Any:
        try:
            connection.connect()
            sock: Any = connection.sock
            return sock.version(), sock.getpeercert()
        finally:
            connection.close()

    try:
        version, certificate = within(2 * way.seconds, shake)
    except ssl.SSLCertVerificationError as error:
        fix = "name the authority's certificate by --ca or REQUESTS_CA_BUNDLE; verification is never switched off"
        return failed(check, f"the certificate is not trusted by {trusted}: {error.verify_message}", fix)
    except (OSError, HTTPException) as error:
        asked = "the proxy does not lead there" if way.proxy else "no TLS is spoken there"
        return failed(check, f"{asked}: {_why(error)}", "check the port, and that the proxy lets this host through")
    return passed(check, f"{version}, trusted by {trusted}, certificate until {certificate.get('notAfter', '?')}")


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
