"""`pytest-wml cassette verify`: options and validation."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from pytest_wml.errors import BadOption

_EPILOG = """\
example: pytest-wml cassette verify cassettes/model.yaml --model model.tar.gz

Against live, the recorded resources are created again, which costs money. The numbers are shown first, and need a
confirmation on the terminal or by --yes. Created resources are deleted at the end, also after Ctrl-C; no other resource
is changed.

levels: error: status, missing members, types, predictions, codes; warn: messages, content types, unknown states;
info: added members, ids, dates, versions, hosts, data of the account
exit status: 0 the answers agree, 1 an error (with --strict a warning) or resources left behind, 2 the verification
cannot be performed
"""


def add_to(tools: Any, default: str) -> argparse.ArgumentParser:
    """Declare the tool."""
    verify: argparse.ArgumentParser = tools.add_parser(
        "verify",
        help="send a recording's requests to a service and compare the answers",
        description="Send the recorded requests in order to the embedded or the live service, and compare the answers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("paths", nargs="*", metavar="CASSETTE|FOLDER", help=default)
    verify.add_argument("--against", choices=("embedded", "live"), default="embedded", help="default: embedded")
    verify.add_argument(
        "--model", action="append", default=[], type=Path, metavar="ARCHIVE", help="the recorded model; may be repeated"
    )
    verify.add_argument("--rtol", type=_tolerance, default=1e-4, help="relative tolerance of floats; default: 1e-4")
    verify.add_argument("--atol", type=_tolerance, default=1e-5, help="absolute tolerance of floats; default: 1e-5")
    verify.add_argument(
        "--timeout",
        type=_seconds,
        default=1200.0,
        metavar="SECONDS",
        help="time limit for a state to settle; default: 1200",
    )
    verify.add_argument("--allow-pickle", action="store_true", help="allow the embedded service to run code in models")
    verify.add_argument(
        "--wml-credentials", "--credentials", dest="credentials", default="", metavar="FILE", help="as for pytest"
    )
    verify.add_argument(
        "--wml-ca", "--ca", dest="ca", default="", metavar="FILE", help="authority of a private service"
    )
    verify.add_argument("--dry-run", action="store_true", help="show the requests without sending them")
    verify.add_argument("--yes", action="store_true", help="against live: start without confirmation")
    verify.add_argument("--strict", action="store_true", help="a warning is an error")
    verify.add_argument("-v", "--verbose", action="store_true", help="show differences of level info too")
    verify.add_argument("--report", type=Path, metavar="FILE", help="write the JSON result to a file")
    verify.add_argument(
        "--write-fidelity",
        type=Path,
        metavar="FILE",
        help="against live: update the dates of validated routes in fidelity.json",
    )
    verify.set_defaults(run=_run)
    return verify


def _tolerance(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"not a valid tolerance: {text}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"not a valid time: {text}")
    return value


def _run(given: argparse.Namespace) -> int:
    if given.write_fidelity and given.against != "live":
        raise BadOption(
            "--write-fidelity needs answers of the live service.", fix="add --against live, or leave it out"
        )
    from pytest_wml.tools.verify.run import run  # imported on first use, so that the command line starts faster

    return run(given)
