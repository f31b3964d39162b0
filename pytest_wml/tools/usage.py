"""What a command does that is given too little."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def help_of(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Show what it takes; the exit status is that of a wrong command line."""

    def show(_: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return 2

    return show
