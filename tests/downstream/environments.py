"""Fresh virtual environments, in which what was built is installed as a user installs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Of whoever runs these tests; a user has none of them.
_NOT_INHERITED = ("PYTHON", "PYTEST", "WML_", "WX_", "COV", "TOX", "VIRTUAL_ENV", "GITHUB_", "GITLAB_")


class Ended:
    """A command that has ended: its exit status and all that it printed."""

    def __init__(self, command: str, code: int, output: str) -> None:
        self.command = command
        self.code = code
        self.output = output

    def __repr__(self) -> str:
        return f"$ {self.command}\n{self.output}\nexit status {self.code}"


class Environment:
    """A virtual environment that knows nothing of this one.

    Args:
        folder: where it is.
        wheel: what pip takes for pytest-wml in it.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        constraint = folder.with_name(folder.name + ".constraint.txt")
        constraint.write_text(f"pytest-wml=={wheel.name.split('-')[1]}\n")
        self.variables = {
            name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_INHERITED)
        } | {
            "CI": "true",
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
            # A newer one that was released gives way to the one that was built here.
            "PIP_CONSTRAINT": str(constraint),
            "PIP_FIND_LINKS": str(wheel.parent),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # Of TensorFlow's files a fraction is ever imported.
            "PIP_NO_COMPILE": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }

    def run(self, command: str, cwd: Path, **variables: str) -> Ended:
        """Run a line of shell, as CI does."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=cwd,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ended(command, done.returncode, done.stdout)

    def must(self, command: str, cwd: Path, **variables: str) -> str:
        """Run a line of shell that has to succeed; what it printed."""
        ended = self.run(command, cwd, **variables)
        assert ended.code == 0, ended
        return ended.output

    def has(self, module: str) -> bool:
        """Whether a module can be imported in it."""
        check = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        return self.run(f'python -c "{check}"', self.folder).code == 0


@contextmanager
def fresh(folder: Path, wheel: Path) -> Iterator[Environment]:
    """An empty virtual environment, which is removed at the end: one with TensorFlow has 2 GB."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    try:
        yield Environment(folder, wheel)
    finally:
        shutil.rmtree(folder)


@contextmanager
def serving(environment: Environment, folder: Path) -> Iterator[dict[str, str]]:
    """`pytest-wml serve` of an environment, while the block lasts; what it says to export."""
    ready = folder / "ready.json"
    with subprocess.Popen(
        [environment.folder / "bin" / "pytest-wml", "serve", "--ready-file", ready],
        env=environment.variables,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            # Its last line; by then it listens.
            next(line for line in server.stdout or () if line.startswith("# stop it"))
            exported: dict[str, str] = json.loads(ready.read_text())["environment"]
            yield exported
        finally:
            server.terminate()


def build_wheel(folder: Path) -> Path:
    """The wheel of this tree."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
