"""`pytest-wml serve`: its options."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

_EXAMPLE = """\
example, in two shells:
  pytest-wml serve --port 8443          prints lines to export; paste them into the other shell, and there:
  pytest --wml=live                     your contract, against the server
  curl "$WML_URL/ml/wml_services/version"

example, in a script:
  pytest-wml serve --ready-file wml.json &
  until [ -e wml.json ]; do sleep 0.1; done       has url, ca, pid and what to export, as JSON
  ...
  kill %1                               answers what is in flight, removes wml.json, exits with 0
"""


def add_to(commands: Any) -> None:
    """Declare the command."""
    serve = commands.add_parser(
        "serve",
        help="the embedded WML as a server, for other processes and languages",
        description="The embedded WML as a server: HTTPS, on this machine alone; it really scores. At its own\n"
        "address it is a Cloud Pak for Data; for clients that look for IBM Cloud's hosts here it is IBM Cloud.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--port", type=int, default=0, help="default: one that is free")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on; default: %(default)s")
    serve.add_argument("--allow-remote", action="store_true", help="let --host be an address that others can reach")
    serve.add_argument("--ready-file", type=Path, metavar="FILE", help="JSON, written as soon as the server listens")
    serve.add_argument(
        "--space",
        action="append",
        metavar="ID",
        help="a space that is there; may be repeated; default: WML_SPACE_ID, and the usual one",
    )
    serve.add_argument("--data-dir", type=Path, metavar="DIR", help="keep what is stored in DIR, across restarts")
    serve.add_argument("--faults", type=Path, metavar="FILE", help="errors, delays and cuts to answer with, one a line")
    serve.add_argument("--no-page", action="store_true", help="no page for people at /")
    serve.add_argument("--cpd-version", default="5.0.3", metavar="X.Y.Z", help="default: %(default)s")
    serve.add_argument("--allow-pickle", action="store_true", help="run the code in pickles, functions, Lambda layers")
    loud = serve.add_mutually_exclusive_group()
    loud.add_argument("--quiet", action="store_true", help="print only warnings and errors")
    loud.add_argument("-v", "--verbose", action="store_true", help="print a line for each request")
    serve.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from pytest_wml.emulator.serve.running import run  # the command line itself loads without the service

    code = run(given)
    if "tensorflow" in sys.modules:
        # It takes a second or two to end by itself, after everything has been closed and removed.
        os._exit(code)
    return code
