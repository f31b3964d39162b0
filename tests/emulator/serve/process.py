"""`pytest-wml serve` in another process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


class Served:
    """A server that listens.

    Args:
        ready: its ready file.
        errors: what it writes to its standard error.
    """

    def __init__(self, process: subprocess.Popen[str], ready: Path, errors: Path) -> None:
        self.process = process
        self.ready = ready
        self._errors = errors
        self.said: list[str] = []
        """The lines that it has printed."""
        document = json.loads(ready.read_text())
        self.url: str = document["url"]
        self.ca: str = document["ca"]
        self.environment: dict[str, str] = document["environment"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def told_environment(self) -> dict[str, str]:
        """This process's environment without the run's guard of IBM's hosts, and what the server said to export."""
        return {name: value for name, value in os.environ.items() if name != "PYTEST_WML_GUARD"} | self.environment

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal, wait; the exit code."""
        self.process.send_signal(number)
        self.said += self.process.stdout.read().splitlines()
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """A server of its own process, while the block lasts."""
    ready, errors = folder / "ready.json", folder / "errors.txt"
    command = [sys.executable, "-m", "pytest_wml.tools.cli", "serve", "--ready-file", str(ready), *options]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    with errors.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("# stop it"):
                break
        else:
            raise AssertionError(f"the server did not start: {errors.read_text()}")
        running = Served(process, ready, errors)
        running.said += lines
        yield running
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
