"""The command line `pytest-wml`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from pytest_wml.config.environment_secrets import secrets_of_environment
from pytest_wml.emulator.serve import command as server_command
from pytest_wml.errors import WMLTestError
from pytest_wml.redaction.known import Secrets
from pytest_wml.tools import cassette, contract, lint, sweep
from pytest_wml.tools.doctor import command as doctor_command
from pytest_wml.tools.init import command as project_command
from pytest_wml.tools.usage import help_of

_EPILOG = """\
examples:
  pytest-wml init pump                     a model repository to start from
  pytest-wml contract init model.tar.gz    a first contract for an existing model
  pytest-wml COMMAND --help                the options of a command
"""


class _Version(argparse.Action):
    """Print the versions and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from pytest_wml.tools import versions

        print(*versions.lines(), sep="\n")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="pytest-wml",
        description="Tools for tests of IBM Watson Machine Learning: an embedded service, recordings, contracts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the versions for a bug report")
    top.set_defaults(run=help_of(top))
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    project_command.add_to(commands)
    recordings = commands.add_parser("cassette", help="list, show, compare, scan, prune, merge and verify recordings")
    recordings.set_defaults(run=help_of(recordings))
    cassette.add_to(recordings.add_subparsers(dest="tool", metavar="TOOL"))
    server_command.add_to(commands)
    lint.add_to(commands)
    doctor_command.add_to(commands)
    sweep.add_to(commands)
    contract.add_to(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit status 0: no findings, 1: findings, 2: the command cannot be performed."""
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except WMLTestError as error:
        print(Secrets(secrets_of_environment(os.environ)).mask(str(error)), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, closed the pipe
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
