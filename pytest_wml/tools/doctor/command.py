"""`pytest-wml doctor`: its options, and the order of what is looked at."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any

from pytest_wml.errors import BadOption


def add_to(commands: Any) -> None:
    """Declare the command."""
    doctor = commands.add_parser(
        "doctor",
        help="what stands between this machine and a live run",
        description="Versions, options, credentials and, where there are credentials, the way to the service: clock,\n"
        "connection, token, space, plan, software specification. It asks for documents and tokens only:\n"
        "nothing is made, changed or deleted, and no secret is printed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: pytest-wml doctor --wml-credentials wml.json\n\n"
        "exit status: 0 no check failed, 1 one did, 2 it cannot be done",
    )
    doctor.add_argument("--wml-credentials", metavar="FILE", help="as pytest takes it")
    doctor.add_argument("--wml-software-spec", metavar="NAME", help="as pytest takes it")
    doctor.add_argument("--wml-model-type", metavar="TYPE", help="as pytest takes it")
    doctor.add_argument("--wml-ca", "--ca", dest="ca", metavar="FILE", default="", help="as pytest takes it")
    doctor.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="for each step; default: 10")
    doctor.add_argument("--offline", action="store_true", help="leave out all that asks the service")
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if not 0 < given.timeout <= 600:
        raise BadOption(f"--timeout is none: {given.timeout:g}.", fix="give seconds, up to 600")
    from pytest_wml.redaction.known import Secrets
    from pytest_wml.tools.doctor.lines import Line, Verdict, closing, masked, rendered, worst

    secrets, told = Secrets(), list[Line]()
    for line in _lines(given, secrets):
        told.append(masked(line, secrets))
        if not given.json:
            print(*rendered(told[-1]), sep="\n", flush=True)
    if given.json:
        print(json.dumps({"verdict": worst(told).value, "lines": [line.as_json() for line in told]}, indent=1))
    else:
        print(closing(told))
    return 1 if worst(told) is Verdict.FAIL else 0


def _lines(given: argparse.Namespace, secrets: Any) -> Iterator[Any]:
    from pytest_wml.tools.doctor import known, service, settings, versions
    from pytest_wml.tools.doctor.reaching import trust

    suite = settings.read(_for_pytest(given))
    authorities = trust(given.ca or suite.ca, os.environ)
    yield from versions.lines(versions.installed())
    yield from settings.lines(suite)
    models = suite.models
    yield from known.specifications(models)
    found, lines = known.credentials(
        os.environ, suite.credentials or given.wml_credentials or "", settings.is_live(suite)
    )
    if found is not None:
        secrets.add(*found.secrets)
    yield from lines
    if found is None or given.offline:
        return
    yield from service.lines(found, [spec for _, spec in models], authorities, given.timeout, secrets)


def _for_pytest(given: argparse.Namespace) -> list[str]:
    named = {
        "--wml-credentials": given.wml_credentials,
        "--wml-software-spec": given.wml_software_spec,
        "--wml-model-type": given.wml_model_type,
    }
    return [f"{flag}={value}" for flag, value in named.items() if value]
