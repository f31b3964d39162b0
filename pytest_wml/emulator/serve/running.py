"""A server from its start to its end."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_wml.config import fault_rules
from pytest_wml.config.folders import users_cache
from pytest_wml.config.option_table import SPACE_VARIABLES
from pytest_wml.config.stopped_server import unset
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.serve.announce import ReadyFile, ServerFacts, exports
from pytest_wml.emulator.serve.certificate import LOOPBACK_NAMES, certified
from pytest_wml.emulator.serve.listening import Server, is_local, listen
from pytest_wml.emulator.serve.middleware import DateHeader, HostCheck, RequestLines, WarningLines, crash_line
from pytest_wml.emulator.serve.signals import Signals
from pytest_wml.errors import BadOption
from pytest_wml.interception.faults import Faults
from pytest_wml.redaction.text import masked
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, is_id

_REMOTE = (
    "Others on the network can reach this port. Any API key is accepted: they can read, replace and delete\n"
    "what is stored, and use this machine's processor and disk."
)
_PICKLE = "Models may bring code (--allow-pickle): whoever can reach this port can run code as you."


def run(given: argparse.Namespace) -> int:
    """Serve until a signal says to stop; 0 then.

    Raises:
        BadOption: an option has a value that it does not accept.
        MissingExtra: trustme is not installed.
    """
    _check(given)
    ready = ReadyFile(given.ready_file) if given.ready_file else None
    with listen(given.host, given.port) as listener:
        _check_reach(given, listener)
        with tempfile.TemporaryDirectory(prefix="pytest-wml-serve-", ignore_cleanup_errors=True) as name:
            with Signals(Path(name)) as signals:
                _serve(given, listener, Path(name), ready, signals)
    return 0


def _check(given: argparse.Namespace) -> None:
    if not re.fullmatch(r"\d+\.\d+(\.\d+)*", given.cpd_version):
        raise BadOption(f"--cpd-version is no version: {given.cpd_version!r}.", fix="give one such as 5.0.3")
    if not 0 <= given.port <= 65535:
        raise BadOption(f"--port is no port: {given.port}.", fix="give 1 to 65535, or 0 for one that is free")


def _check_reach(given: argparse.Namespace, listener: socket.socket) -> None:
    if is_local(listener):
        return
    if not given.allow_remote:
        raise BadOption(
            f"{given.host} is an address that others may reach.",
            risk=_REMOTE,
            fix="leave --host out, or add --allow-remote where that is meant",
        )
    _tell(f"warning: {_REMOTE}")


def _serve(
    given: argparse.Namespace, listener: socket.socket, folder: Path, ready: ReadyFile | None, signals: Signals
) -> None:
    say = _silent if given.quiet else _say
    script = fault_rules.read(given.faults) if given.faults else ()
    say("# pytest-wml serve: starting; Ctrl-C stops it")
    names, everywhere = _names(given.host, listener)
    tls = certified(folder, names, _lasting(folder))
    with _service(given, folder, is_local(listener)) as service:
        faulty = Faults(WarningLines(service, service, _tell), script)
        app = DateHeader(HostCheck(RequestLines(faulty, _say) if given.verbose else faulty, names, everywhere))
        server = Server(listener, tls.context, app, lambda crash: _tell(crash_line(crash)))
        server.start()
        try:
            space = _spaces(given)[0]
            running = ServerFacts(_url(names[0], server.port), tls.ca, tls.bundle, space, given.cpd_version)
            with ready.holding(running.document) if ready else contextlib.nullcontext():
                for line in _announced(given, running):
                    say(line)
                signals.wait()
                service.interrupt()
            say("# stopping: what is in flight is answered; a second signal ends at once")
            say("# a shell that has the exports takes them back with:")
            say(unset())
        finally:
            faulty.close()
            if not server.stop():
                _tell("warning: ended before everything in flight was answered")
    for (what, _), times in faulty.injected.items():
        say(f"# fault: {what}, {times} ×")


def _lasting(otherwise: Path) -> Path:
    try:
        return users_cache() / "serve"
    except RuntimeError:  # a container's user may have no home
        return otherwise


def _announced(given: argparse.Namespace, running: ServerFacts) -> Iterator[str]:
    yield from exports(running.environment)
    kept = f"kept in {given.data_dir}" if given.data_dir else "gone at its end (--data-dir keeps it)"
    yield f"# listening on {running.url}; what is stored is {kept}"
    yield f"# stop it with Ctrl-C or: kill {os.getpid()}"


def _service(given: argparse.Namespace, folder: Path, local: bool) -> EmbeddedWML:
    if given.allow_pickle:
        _tell(f"warning: {_PICKLE}")
    return EmbeddedWML(
        spaces=_spaces(given),
        folder=folder,
        data_dir=given.data_dir,
        cpd_version=given.cpd_version,
        allow_pickle=given.allow_pickle,
        how_to_allow="pytest-wml serve --allow-pickle",
        page=local and not given.no_page,  # it asks for no token: not for others on the network
    )


def _spaces(given: argparse.Namespace) -> list[str]:
    """The spaces that are there from the start: those of the options, else the environment's and the usual one."""
    named = (os.environ.get(name, "").strip() for name in SPACE_VARIABLES)
    return given.space or list(dict.fromkeys([*filter(is_id, named), DEFAULT_SPACE_ID]))


def _names(host: str, listener: socket.socket) -> tuple[list[str], bool]:
    """The names and addresses that are this server, first the one to call it by; whether any address may be."""
    bound = listener.getsockname()[0].partition("%")[0]
    everywhere = ipaddress.ip_address(bound).is_unspecified
    if everywhere:
        loopback = "::1" if ":" in bound else "127.0.0.1"
        return list(dict.fromkeys([loopback, *LOOPBACK_NAMES, *_own_names()])), True
    if is_local(listener):
        return list(dict.fromkeys([bound, *LOOPBACK_NAMES])), False
    return list(dict.fromkeys([host, bound, *LOOPBACK_NAMES])), False


def _own_names() -> Iterator[str]:
    name = socket.gethostname()
    yield name
    with contextlib.suppress(OSError):
        yield from (str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, None))


def _url(host: str, port: int) -> str:
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _say(line: str) -> None:
    # Whoever read the first lines may have gone, as `head` does; the server has not.
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


def _tell(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(masked(line), file=sys.stderr, flush=True)


def _silent(line: str) -> None:
    del line
