"""The guard in a child process of a test run: connections to IBM are refused, and the run is told.

Loaded without pytest-wml, by whatever Python the child is, with its first connection.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

VARIABLE = "PYTEST_WML_GUARD"
"""Names the folder in which the run that started this process reads what was refused."""
NAMED = "hosts"
"""The file in it with the hosts of a Cloud Pak for Data, one a line."""

_IBMS = ("ibm_watson_machine_learning", "ibm_watsonx_ai")
_HOSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "wml", "hosts.py")
_loaded: dict[str, Any] = {}
_watched: list[Any] = []


class NotThroughTheDoor(RuntimeError):
    """A child process of a test tried to reach IBM."""

    # No OSError: after one of those IBM's client switches verification off and sends everything again.


def check(event: str, args: tuple[Any, ...]) -> None:
    """Refuse what an audit event tells of, where it would lead to IBM.

    Raises:
        NotThroughTheDoor: it would.
    """
    find = _TARGETS.get(event)
    if find is None or _has_a_door():
        return
    if event == "socket.connect":
        _watch_tls()
    host, port = find(args)
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("latin-1")
    if isinstance(host, str) and host and _is_ibms(host, port if isinstance(port, int) else None):
        _refuse(host)


def _of_address(args: tuple[Any, ...]) -> tuple[Any, Any]:
    address = args[1]
    return (address[0], address[1]) if isinstance(address, tuple) and len(address) > 1 else ("", None)


def _of_http(args: tuple[Any, ...]) -> tuple[Any, Any]:
    tunnel = getattr(args[0], "_tunnel_host", None)
    return (tunnel, getattr(args[0], "_tunnel_port", None)) if tunnel else (args[1], args[2])


def _of_request(args: tuple[Any, ...]) -> tuple[Any, Any]:
    """What a proxy is asked for without a tunnel: `GET http://host/path`."""
    data = args[1]
    line = data[:500].split(b"\r\n", 1)[0].split(b" ") if isinstance(data, bytes) else []
    if len(line) != 3 or line[1][:7].lower() != b"http://":
        return "", None
    return line[1][7:].partition(b"/")[0].rpartition(b"@")[2].partition(b":")[0], None


_TARGETS: dict[str, Callable[[tuple[Any, ...]], tuple[Any, Any]]] = {
    "socket.getaddrinfo": lambda args: (args[0], args[1]),
    "socket.gethostbyname": lambda args: (args[0], None),
    "socket.connect": _of_address,
    "socket.sendto": _of_address,
    "http.client.connect": _of_http,
    "http.client.send": _of_request,
}
"""Audit events of the standard library: how to tell from their arguments who is meant."""


def _has_a_door() -> bool:
    """Whether this process, an xdist worker say, keeps IBM's hosts to itself by a door of its own."""
    door = sys.modules.get("pytest_wml.interception.door")
    fails_closed = getattr(door, "fails_closed", None)
    return fails_closed is not None and bool(fails_closed())


def _is_ibms(host: str, port: int | None) -> bool:
    if not _loaded:
        _loaded.update(_known())
    hosts = _loaded["hosts"]
    if hosts is None:
        return False
    return hosts.role(host, port) is not None or (_ibms_client_asks() and not _loaded["is_loopback"](host))


def _known() -> dict[str, Any]:
    """Which hosts are IBM's, told by the run's own code for it; none once the run has ended."""
    import importlib.util

    try:
        with open(os.path.join(os.environ.get(VARIABLE, ""), NAMED), encoding="utf-8") as file:
            named = file.read().split()
    except OSError:
        return {"hosts": None}
    spec = importlib.util.spec_from_file_location("_pytest_wml_hosts", _HOSTS)
    if spec is None or spec.loader is None:
        return {"hosts": None}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"hosts": module.Hosts.of(named), "is_loopback": module.is_loopback}


def _ibms_client_asks() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if isinstance(name, str) and name.partition(".")[0] in _IBMS:
            return True
        frame = frame.f_back
    return False


def _watch_tls() -> None:
    """Check the names that TLS is spoken to, whatever proxy leads there; there is no audit event for them."""
    ssl = sys.modules.get("ssl")
    context = getattr(ssl, "SSLContext", None)
    if context is None or _watched:
        return
    _watched.append(context)
    for method, position in (("wrap_socket", 4), ("wrap_bio", 3)):
        setattr(context, method, _checked(getattr(context, method), position))


def _checked(before: Callable[..., Any], position: int) -> Callable[..., Any]:
    def check_and_wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = args[position] if len(args) > position else kwargs.get("server_hostname")
        if isinstance(name, str) and not _has_a_door() and _is_ibms(name, None):
            _refuse(name)
        return before(self, *args, **kwargs)

    return check_and_wrap


def _refuse(host: str) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    _tell(host, test)
    raise NotThroughTheDoor(
        f"A connection to {host} was refused: it would leave this process for IBM.\n"
        f"  started by: {test or 'a test run, outside any test'}\n"
        "  known: in replay and embedded no process that a test run starts reaches IBM\n"
        f"  what to do: ask in the test's own process, or run with --wml=live; {VARIABLE} taken out of the\n"
        "    environment of a process lets it go"
    )


def _tell(host: str, test: str) -> None:
    """Leave word in the run's folder, whole from the moment that it is seen."""
    import json
    import time

    program = os.path.basename(str((getattr(sys, "argv", None) or [""])[0])) or "python"
    path = os.path.join(os.environ.get(VARIABLE, ""), f"{os.getpid()}-{time.monotonic_ns()}")
    try:
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump({"host": host, "test": test, "program": program, "pid": os.getpid()}, file)
        os.replace(path + ".part", path + ".json")
    except OSError:
        pass  # the run has ended
