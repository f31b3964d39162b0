"""The guard in a child process of a test run: refuses connections to IBM, and reports each refusal to the run.

Loaded with the child's first connection. The child may be any Python, without pytest-wml.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

VARIABLE = "PYTEST_WML_GUARD"
"""Environment variable with the folder in which the run reads the reports of refused connections."""
HOSTS_FILE = "hosts"
"""The file in that folder with the hosts of a Cloud Pak for Data, one a line."""

_IBMS = ("ibm_watson_machine_learning", "ibm_watsonx_ai")
_HOSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "wml", "hosts.py")
_loaded: dict[str, Any] = {}
_patched: list[Any] = []


class ChildNotThroughTheDoor(RuntimeError):
    """A child process of a test tried to connect to IBM."""

    # Not an OSError: after an OSError IBM's client switches verification off and repeats the request.


def check(event: str, args: tuple[Any, ...]) -> None:
    """Check the connection of an audit event.

    Raises:
        ChildNotThroughTheDoor: it leads to one of IBM's hosts.
    """
    target = _TARGETS.get(event)
    if target is None or _has_door():
        return
    if event == "socket.connect":
        _check_tls()
    host, port = target(args)
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
    """The target of a request to a proxy without a tunnel: `GET http://host/path`."""
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
"""Audit event of the standard library → function that reads host and port from its arguments."""


def _has_door() -> bool:
    """Whether this process, for example an xdist worker, has an open door that fails closed."""
    door = sys.modules.get("pytest_wml.interception.door")
    fails_closed = getattr(door, "fails_closed", None)
    return fails_closed is not None and bool(fails_closed())


def _is_ibms(host: str, port: int | None) -> bool:
    if not _loaded:
        _loaded.update(_load_hosts())
    hosts = _loaded["hosts"]
    if hosts is None:
        return False
    return hosts.role(host, port) is not None or (_stack_contains_ibms_client() and not _loaded["is_loopback"](host))


def _load_hosts() -> dict[str, Any]:
    """IBM's hosts, by the run's own code; none after the run has ended."""
    import importlib.util

    try:
        with open(os.path.join(os.environ.get(VARIABLE, ""), HOSTS_FILE), encoding="utf-8") as file:
            named = file.read().split()
    except OSError:
        return {"hosts": None}
    spec = importlib.util.spec_from_file_location("_pytest_wml_hosts", _HOSTS)
    if spec is None or spec.loader is None:
        return {"hosts": None}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"hosts": module.Hosts.of(named), "is_loopback": module.is_loopback}


def _stack_contains_ibms_client() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if isinstance(name, str) and name.partition(".")[0] in _IBMS:
            return True
        frame = frame.f_back
    return False


def _check_tls() -> None:
    """Check the server names of TLS connections, also behind proxies: no audit event contains them."""
    ssl = sys.modules.get("ssl")
    context = getattr(ssl, "SSLContext", None)
    if context is None or _patched:
        return
    _patched.append(context)
    for method, position in (("wrap_socket", 4), ("wrap_bio", 3)):
        setattr(context, method, _checked(getattr(context, method), position))


def _checked(before: Callable[..., Any], position: int) -> Callable[..., Any]:
    def check_and_wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = args[position] if len(args) > position else kwargs.get("server_hostname")
        if isinstance(name, str) and not _has_door() and _is_ibms(name, None):
            _refuse(name)
        return before(self, *args, **kwargs)

    return check_and_wrap


def _refuse(host: str) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    _report(host, test)
    raise ChildNotThroughTheDoor(
        f"A connection to {host} was refused: it would leave this process for IBM.\n"
        f"  started by: {test or 'a test run, outside any test'}\n"
        "  known: in replay and embedded no process that a test run starts can connect to IBM\n"
        f"  what to do: send the request from the test's own process, or run with --wml=live; without {VARIABLE}\n"
        "    in its environment a process is not guarded"
    )


def _report(host: str, test: str) -> None:
    """Write a report into the run's folder; the rename makes it visible only when it is complete."""
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
