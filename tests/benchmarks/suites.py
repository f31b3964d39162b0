"""The sample's contract suite in replay, whole processes: beside importing the client, and beside pytest-recording.

Both tools replay the same tests, whose checks are the same functions on the same deployment; each replays what it
recorded itself, from the embedded service, of which vcrpy (under pytest-recording) wrote down every request. One
setting differs from the shipped suite: the latency check asks in one thread, as vcrpy is not made for several.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Command, in_turn, pytest, python, run

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("-p", "pytest_wml.plugin")
_RECORDING = ("-p", "pytest_recording.plugin")
_IMPORTS = "import ibm_watson_machine_learning, pytest"
_COLLECTED = f"""
{_IMPORTS}, gc, time
begun = time.perf_counter()
gc.collect()
gc.collect()
print("COLLECTED", time.perf_counter() - begun)
"""
"""What pytest does at its end, to find what was left open: two full collections, with all that IBM's client imports."""


def measure(*, quick: bool) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = _ours(Path(name, "ours")), _theirs(Path(name, "theirs"))
        replay, recording = pytest(ours, *_OURS), pytest(theirs, *_RECORDING)
        times = 3 if quick else 9
        suite, imports = in_turn(times, replay, python(ours, "-c", _IMPORTS))
        asleep, sleeping = in_turn(1 if quick else 3, replay, recording, warm=0)
        awake, hurried = in_turn(times, replay, _without_sleeps(recording))
        collecting = float(run(python(ours, "-c", _COLLECTED)).said.split("COLLECTED ")[1])
        sizes = [sum(file.stat().st_size for file in one.rglob("cassettes/**/*.yaml")) for one in (ours, theirs)]
    what = "the sample's contract suite in replay, whole process"
    with_recording = "pytest-recording, same tests and traffic"
    figures = []
    for clock in ("wall", "cpu"):
        shown = {"wall": "wall time", "cpu": "processor time"}[clock]

        def read(runs: list[object], clock: str = clock) -> list[float]:
            return [getattr(ran, clock) for ran in runs]

        figures += [
            Figure(f"{what}, {shown}", "s", read(suite), f'python -c "{_IMPORTS}"', read(imports), goal=1.35),
            Figure(f"{what}, {shown}", "s", read(awake), f"{with_recording}, sleeps removed", read(hurried), goal=1.0),
        ]
    figures.insert(
        1,
        Figure(
            f"{what}, wall time",
            "s",
            [ran.wall for ran in asleep],
            f"{with_recording}, sleeps as they are",
            [ran.wall for ran in sleeping],
            goal=0.5,
        ),
    )
    kilobytes = [size / 1e3 for size in sizes]
    figures.append(Figure("its recordings", "kB", kilobytes[:1], "pytest-recording's", kilobytes[1:]))
    share = min(ran.wall for ran in imports) / min(ran.wall for ran in suite)
    return Measured(
        figures,
        f"importing IBM's client and pytest: {share:.0%} of the run; of the rest {collecting:.2f} s are pytest's two "
        "garbage collections at the end, which visit all that the client has imported",
    )


def _without_sleeps(command: Command) -> Command:
    return command._replace(environment={**command.environment, "BENCHMARK_SLEEPS": "no"})


def _project(folder: Path, ini: str = "") -> Path:
    """A user's project with the sample's contract tests."""
    folder.mkdir()
    tests = (ROOT / "tests" / "contract" / "test_mnist.py").read_text()
    (folder / "test_mnist.py").write_text(re.sub(r"concurrency=\[1, 4\]", "concurrency=[1]", tests))
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}")
    return folder


def _ours(folder: Path) -> Path:
    _project(folder)
    run(pytest(folder, *_OURS, "--wml=embedded", "--wml-record"))
    return folder


def _theirs(folder: Path) -> Path:
    _project(folder, "markers = wml: of pytest-wml\naddopts = -p no:wml\n")
    shutil.copy(Path(__file__).with_name("vcr_conftest.py.txt"), folder / "conftest.py")
    (folder / "cassettes").mkdir()
    shutil.copy(ROOT / "cassettes" / "mnist_cnn.reference.json", folder / "cassettes")
    once = pytest(folder, *_RECORDING, "--record-mode=once")
    run(once._replace(environment={**once.environment, "BENCHMARK_RECORDS": "yes"}))
    return folder
