"""Handles commands without a subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def help_of(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Return a function that prints the help of a parser; its exit status 2 is that of an invalid command line."""

    def show(_: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return 2

    return show
