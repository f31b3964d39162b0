"""The start of pytest in a project that does not use WML: without a plugin, with ours, with pytest-recording.

Two ways: with the plugin installed, in environments that hold the same packages but for the plugins, so that pytest
finds it by itself; and in this environment, where no plugin is loaded but what `-p` names.
"""

from __future__ import annotations

import importlib.metadata
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Command, Ran, in_turn, pytest, python, run

ROOT = Path(__file__).resolve().parents[2]
_OURS, _RECORDING = "pytest_wml.plugin", "pytest_recording.plugin"
_SHARES = """
import importlib.metadata, io, marshal, pathlib, time

def least(call):
    spent = []
    for _ in range(9):
        begun = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begun)
    return 1000 * min(spent)

def read():
    for path in compiled:
        with open(path, "rb") as file:
            file.seek(16)
            marshal.load(file)

plugin = importlib.metadata.distribution("pytest-wml")
compiled = [plugin.locate_file(path) for path in sorted(pathlib.Path(plugin.locate_file(".")).rglob("*-pytest-*.pyc"))]
bodies = [path.read_bytes()[16:] for path in compiled]
print("SHARES", len(plugin.files), least(lambda: plugin.files), len(compiled), least(read),
      least(lambda: [marshal.loads(body) for body in bodies]))
"""
"""Prints how many files pip has installed of the package, and milliseconds of what pytest does with these: make a path
of each, and read those that are loaded, as it reads them and as Python itself would."""


def measure(*, quick: bool) -> Measured:
    times = 5 if quick else 40
    with tempfile.TemporaryDirectory() as name:
        project = Path(name, "project")
        project.mkdir()
        (project / "pytest.ini").write_text("[pytest]\n")
        (project / "test_one.py").write_text("def test_one():\n    pass\n")
        installed = _installed(Path(name), project)
        figures = _figures("the plugin installed", in_turn(times, *map(_started, installed), warm=2))
        named = [pytest(project), pytest(project, "-p", _OURS), pytest(project, "-p", _RECORDING)]
        figures += _figures("named with -p", in_turn(times, *named, warm=2))
        imported = _imported(installed[1])
        shares = run(_with(installed[1], "-c", _SHARES)).said.split("SHARES ")[1].split()
    files, listing, loaded, reading, at_once = map(float, shares)
    return Measured(
        figures,
        f"installed: {listing:.1f} ms of pytest making a path of each of the {files:.0f} files that pip has installed "
        f"of the package, to know whose assertions it rewrites; {reading:.1f} ms of its loader reading {loaded:.0f} "
        f"compiled modules object by object (marshal.load of a file; marshal.loads of the same: {at_once:.1f} ms). "
        f"Both ways: the imports themselves, {imported:.1f} ms by -X importtime, the options, hooks and fixtures. "
        "With -p, pytest goes through the entry points of all packages here besides, as it does anyway where plugins "
        "load by themselves",
    )


def _figures(how: str, runs: Sequence[Sequence[Ran]]) -> list[Figure]:
    """Ours beside none and beside pytest-recording, in both clocks."""
    clocks: dict[str, Callable[[Ran], float]] = {
        "wall time": lambda ran: ran.wall,
        "processor time": lambda ran: ran.cpu,
    }
    figures = []
    for clock, read in clocks.items():
        alone, ours, theirs = ([1000 * read(ran) for ran in one] for one in runs)
        what = f"start of pytest without WML, {how}, {clock}"
        figures += [
            Figure(what, "ms", ours, "pytest without a plugin", alone, "added", goal=10),
            Figure(what, "ms", ours, "pytest with pytest-recording", theirs, "added", goal=0),
        ]
    return figures


def _installed(folder: Path, project: Path) -> list[Command]:
    """Python in three environments: without a plugin, with ours, with pytest-recording."""
    environment = folder / "environment"
    run(python(folder, "-m", "venv", "--without-pip", environment))
    interpreter = environment / "bin" / "python"
    requirements = [one for one in importlib.metadata.requires("pytest-wml") or [] if "extra ==" not in one]
    install = ["install", "-q", "--disable-pip-version-check"]
    # vcrpy is pytest-recording's: both plugins then need nothing but themselves.
    exact = [f"{name}=={importlib.metadata.version(name)}" for name in ("pytest", "vcrpy")]
    run(python(ROOT, "-m", "pip", "--python", interpreter, *install, *exact, *requirements))
    places = {"none": [], "ours": [str(ROOT)], "recording": ["pytest-recording"]}
    for name, wanted in places.items():
        (folder / name).mkdir()
        if wanted:
            run(python(ROOT, "-m", "pip", *install, "--no-deps", "--target", folder / name, *wanted))
    return [Command([interpreter], project, {"PYTHONPATH": str(folder / name)}) for name in places]


def _started(command: Command) -> Command:
    return _with(command, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def _with(command: Command, *arguments: str) -> Command:
    return command._replace(arguments=[*command.arguments, *arguments])


def _imported(command: Command) -> float:
    """Milliseconds of importing the plugin after pytest, by Python's own account; the least of five."""
    command = _with(command, "-X", "importtime", "-c", f"import pytest, {_OURS}")
    line = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| (pytest_wml\S*)$", re.MULTILINE)
    found = []
    for _ in range(5):
        top = [(int(one[1]), one[2]) for one in line.finditer(run(command).said)]
        found.append(sum(microseconds for microseconds, name in top if name in ("pytest_wml", _OURS)) / 1000)
    return min(found)
