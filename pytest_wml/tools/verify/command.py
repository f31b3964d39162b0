"""`pytest-wml cassette verify`: its options, and the order of what is done."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from pytest_wml.errors import BadOption

_EPILOG = """\
example: pytest-wml cassette verify cassettes/model.yaml --model model.tar.gz

Against live, what the recording made is made again and paid for: it is said beforehand how much, and needs a yes, from
the terminal or by --yes. Everything is deleted at the end, also after Ctrl-C, and nothing else is changed.

levels: error: status, members that are gone, types, predictions, codes; warn: words, content types, states that nobody
knows; info: members that came, ids, dates, versions, hosts, what only an account has
exit status: 0 the answers agree, 1 an error (with --strict a warning) or something left behind, 2 it cannot be done
"""


def add_to(tools: Any, default: str) -> argparse.ArgumentParser:
    """Declare the tool."""
    verify: argparse.ArgumentParser = tools.add_parser(
        "verify",
        help="send a recording's requests to a service and compare the answers",
        description="Send what was recorded to the embedded or the live service, in order, and compare the answers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("paths", nargs="*", metavar="CASSETTE|FOLDER", help=default)
    verify.add_argument("--against", choices=("embedded", "live"), default="embedded", help="default: embedded")
    verify.add_argument(
        "--model", action="append", default=[], type=Path, metavar="ARCHIVE", help="that was recorded; may be repeated"
    )
    verify.add_argument("--rtol", type=_tolerance, default=1e-4, help="relative tolerance of floats; default: 1e-4")
    verify.add_argument("--atol", type=_tolerance, default=1e-5, help="absolute tolerance of floats; default: 1e-5")
    verify.add_argument("--timeout", type=_seconds, default=1200.0, metavar="SECONDS", help="for a state to settle")
    verify.add_argument("--allow-pickle", action="store_true", help="let the embedded service run models' code")
    verify.add_argument(
        "--wml-credentials", "--credentials", dest="credentials", default="", metavar="FILE", help="as pytest takes it"
    )
    verify.add_argument(
        "--wml-ca", "--ca", dest="ca", default="", metavar="FILE", help="authority of a private service"
    )
    verify.add_argument("--dry-run", action="store_true", help="say what would be asked for, and ask nothing")
    verify.add_argument("--yes", action="store_true", help="against live: do not ask before it begins")
    verify.add_argument("--strict", action="store_true", help="a warning is an error")
    verify.add_argument("-v", "--verbose", action="store_true", help="tell differences of level info too")
    verify.add_argument("--report", type=Path, metavar="FILE", help="write what --json prints to a file")
    verify.add_argument(
        "--write-fidelity", type=Path, metavar="FILE", help="against live: date the routes that agreed in fidelity.json"
    )
    verify.set_defaults(run=_run)
    return verify


def _tolerance(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"no tolerance: {text}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"no time: {text}")
    return value


def _run(given: argparse.Namespace) -> int:
    if given.write_fidelity and given.against != "live":
        raise BadOption(
            "--write-fidelity is for answers of the live service.", fix="add --against live, or leave it out"
        )
    from pytest_wml.tools.verify.whole import run  # the command line itself loads without the service

    return run(given)
