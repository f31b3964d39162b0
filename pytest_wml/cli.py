"""`pytest-wml`: tools beside the test run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pytest_wml import cassette_tools
from pytest_wml.errors import WMLTestError


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="pytest-wml", description="Tools for recordings of IBM Watson Machine Learning.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    cassette = commands.add_parser("cassette", help="list, show, compare, scan and prune recordings")
    cassette_tools.add_to(cassette.add_subparsers(dest="tool", required=True, metavar="TOOL"))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when all is well, 1 when something was found, 2 when it cannot be done."""
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except WMLTestError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
