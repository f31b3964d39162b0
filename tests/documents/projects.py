"""A page's blocks make up a project in a folder: files are written, commands run, what they print is compared."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.documents import given
from tests.documents.pages import Block
from tests.documents.transcripts import matches, plain, steps

_SECONDS = 240
# Under tox pytest's cache is elsewhere, and the working folder is not on Python's path.
_OURS = re.compile(r"(WML|WATSONX|PYTEST|GITHUB|GIT|XDIST|COV|TOX)_|CI$|PYTEST|PYTHONSAFEPATH|NO_COLOR|FORCE_COLOR")
_SHELL = """\
{options}
{command}
status=$?
env -0 > "$STATE"
exit $status
"""


def clean_environment(environ: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of somebody at a terminal of 80 columns, with this interpreter's programs first."""
    kept = {name: value for name, value in (environ or os.environ).items() if not _OURS.match(name)}
    # Not resolved: in a virtual environment the interpreter is a link to one without its packages.
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    git = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "80", "GIT_CONFIG_GLOBAL": os.devnull}
    return kept | {"PATH": path} | git | quiet


class Differs(AssertionError):
    """A page does not tell the truth."""


class Project:
    """The project of one page.

    Args:
        folder: is empty, and only the page's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = clean_environment()
        self._printed = ""
        self._groups: list[int] = []

    def take(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            Differs: a command ends otherwise or prints something else.
        """
        if block.language == "given":
            given.put(block.text, self._folder)
        elif block.file:
            target = self._folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            self._console(block)
        elif block.language == "python":
            self._run(block, f"python - <<'END_OF_BLOCK'\n{block.text}END_OF_BLOCK", None, _exit(block))
        elif block.language != "text":
            raise Differs(f"{block.where}: what is a {block.language!r}? Name its file, or say not-run.")
        elif not matches(block.text, self._printed, whole=False):
            raise Differs(f"{block.where}: the command before it does not print this, but:\n{self._printed}")

    def close(self) -> None:
        """End what commands left running."""
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def _console(self, block: Block) -> None:
        every = steps(block.text)
        for number, step in enumerate(every, start=1):
            self._run(block, step.command, step.shown, _exit(block) if number == len(every) else 0)

    def _run(self, block: Block, command: str, shown: str | None, expected: int) -> None:
        with tempfile.TemporaryDirectory(prefix="pytest-wml-page-") as temporary:
            output, state = Path(temporary, "output"), Path(temporary, "state")
            script = _SHELL.format(options="" if shown is not None or expected else "set -eo pipefail", command=command)
            with output.open("wb") as stream:
                shell = subprocess.Popen(
                    ["bash", "-c", script],
                    cwd=self._folder,
                    env=self._environment | {"STATE": str(state)},
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._groups.append(shell.pid)
                code = shell.wait(_SECONDS)
            self._printed = plain(output.read_text(encoding="utf-8"))
            if state.exists():
                self._environment = dict(entry.partition("=")[::2] for entry in state.read_text().split("\0") if entry)
        if code != expected:
            raise Differs(f"{block.where}: exit {code} instead of {expected}: {command}\n{self._printed}")
        if shown is not None and not matches(shown, self._printed):
            raise Differs(f"{block.where}: {command}\n--- shown\n{shown}\n--- printed\n{self._printed}")


def _exit(block: Block) -> int:
    return int(block.attributes.get("exit", 0))
