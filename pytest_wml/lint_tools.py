"""`pytest-wml lint`: what the service would refuse or regret of a model, before it is uploaded."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_to(commands: Any) -> None:
    """Declare the command."""
    lint = commands.add_parser(
        "lint",
        help="look at model archives before they are deployed",
        description="What the service would refuse or regret of a model, told from its files: nothing is run, and\n"
        "TensorFlow is not needed.",
        epilog="example: pytest-wml lint model.tar.gz --spec runtime-24.1-py3.11 --strict\n\n"
        "exit status: 0 fine, 1 errors were found (with --strict: or warnings), 2 there is nothing to read",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lint.add_argument("archives", nargs="+", metavar="ARCHIVE", help=".tar.gz, .zip, model folder or model file")
    lint.add_argument(
        "--spec", default="", metavar="NAME", help="software specification; default: inferred from each model"
    )
    lint.add_argument("--type", default="", metavar="TYPE", help="type of the model; default: inferred from each model")
    lint.add_argument("--strict", action="store_true", help="warnings fail too")
    lint.add_argument("--json", action="store_true", help="for machines")
    lint.set_defaults(run=_lint)


def _lint(given: argparse.Namespace) -> int:
    from pytest_wml.lint.findings import Level
    from pytest_wml.lint.judging import lint
    from pytest_wml.lint.target import Target
    from pytest_wml.lint.telling import lines
    from pytest_wml.model.storing import inferred

    targets = {archive: Target(*inferred(archive, given.type, given.spec)) for archive in given.archives}
    found = {archive: lint(archive, target) for archive, target in targets.items()}
    if given.json:
        told = [{"archive": name, "findings": [each.as_json() for each in every]} for name, every in found.items()]
        print(json.dumps(told, indent=1))
    else:
        for archive, every in found.items():
            print(f"{archive}: {targets[archive].model_type}, {targets[archive].spec_name}")
            for line in lines(every):
                print(f"  {line}")
    bad = {Level.ERROR, Level.WARN} if given.strict else {Level.ERROR}
    return 1 if any(finding.level in bad for every in found.values() for finding in every) else 0
