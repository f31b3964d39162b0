"""`pytest-wml doctor`: options, and the order of the checks."""

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
        help="check whether this machine can do a live run",
        description="Check versions, options and credentials. With credentials also check the service: connection,\n"
        "clock, token, space, plan, software specification. Only documents and tokens are requested: nothing is\n"
        "created, changed or deleted, and no secret is printed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: pytest-wml doctor --wml-credentials wml.json\n\n"
        "exit status: 0 no check failed, 1 a check failed, 2 the checks cannot be performed",
    )
    doctor.add_argument("--wml-credentials", metavar="FILE", help="as for pytest")
    doctor.add_argument("--wml-software-spec", metavar="NAME", help="as for pytest")
    doctor.add_argument("--wml-model-type", metavar="TYPE", help="as for pytest")
    doctor.add_argument("--wml-ca", "--ca", dest="ca", metavar="FILE", default="", help="as for pytest")
    doctor.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="time limit of each step; default: 10"
    )
    doctor.add_argument("--offline", action="store_true", help="leave out the checks that need the service")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if not 0 < given.timeout <= 600:
        raise BadOption(f"--timeout is not valid: {given.timeout:g}.", fix="give seconds, up to 600")
    from pytest_wml.redaction.known import Secrets
    from pytest_wml.tools.doctor.lines import Line, Verdict, closing, masked, rendered, worst

    secrets, results = Secrets(), list[Line]()
    for line in _lines(given, secrets):
        results.append(masked(line, secrets))
        if not given.json:
            print(*rendered(results[-1]), sep="\n", flush=True)
    if given.json:
        print(json.dumps({"verdict": worst(results).value, "lines": [line.as_json() for line in results]}, indent=1))
    else:
        print(closing(results))
    return 1 if worst(results) is Verdict.FAIL else 0


def _lines(given: argparse.Namespace, secrets: Any) -> Iterator[Any]:
    from pytest_wml.tools.doctor import offline_checks, service_checks, settings, versions
    from pytest_wml.tools.doctor.connection import trust

    suite = settings.read(_pytest_arguments(given))
    authorities = trust(given.ca or suite.ca, os.environ)
    yield from versions.lines(versions.installed())
    yield from settings.lines(suite)
    models = suite.models
    yield from offline_checks.specifications(models)
    found, lines = offline_checks.credentials(
        os.environ, suite.credentials or given.wml_credentials or "", settings.is_live(suite)
    )
    if found is not None:
        secrets.add(*found.secrets)
    yield from lines
    if found is None or given.offline:
        return
    yield from service_checks.lines(found, [spec for _, spec in models], authorities, given.timeout, secrets)


def _pytest_arguments(given: argparse.Namespace) -> list[str]:
    named = {
        "--wml-credentials": given.wml_credentials,
        "--wml-software-spec": given.wml_software_spec,
        "--wml-model-type": given.wml_model_type,
    }
    return [f"{flag}={value}" for flag, value in named.items() if value]
