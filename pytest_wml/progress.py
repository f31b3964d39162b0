"""Progress of long work, shown at once: also under pytest's capture, and from xdist's workers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

import pytest


def shown(config: pytest.Config) -> Callable[[str], None]:
    """What shows a line of progress."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    # A worker has a terminal reporter too, but its terminal is nobody's; its standard error is the controller's.
    worker = getattr(config, "workerinput", {}).get("workerid", "")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            if reporter is None or worker:
                print(f"[{worker}] {line}" if worker else line, file=sys.stderr, flush=True)
            else:
                reporter.ensure_newline()
                reporter.write_line(line)

    return show
