"""Keras files, read in a subprocess: HDF5 is a library in C, which a damaged file can make crash or hang."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_wml.config.folders import IMPORTED_FROM
from pytest_wml.model.causes import last_words
from pytest_wml.model.serving import LoadFailed

# The folder of this package, last: no module of the caller's project is found by it.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]);from pytest_wml.model.lint.keras_process import main; main(sys.argv[2])"
)
# A few attributes are read, out of whatever large file.
_DEADLINE = 120.0
_MEMORY = 4 << 30


@dataclass(frozen=True)
class KerasFacts:
    """The metadata of a Keras file.

    Attributes:
        version: of the Keras that wrote it, as 2.2.4.
        code: what in it is Python code; empty where nothing is.
        custom: classes and functions in it that are not Keras's own.
    """

    version: str
    code: str
    custom: tuple[str, ...]


def read_in_subprocess(folder: Path, deadline: float = _DEADLINE) -> KerasFacts:
    """Read the one Keras file in a folder.

    Args:
        folder: holds the file under its own name.
        deadline: seconds that it may take.

    Raises:
        LoadFailed: it holds no model, or the process that read it broke.
    """
    root = str(IMPORTED_FROM)
    command = [sys.executable, "-P", "-c", _PROGRAM, root, str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 this interpreter and our own program
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=deadline, check=False
        )
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"The file could not be read within {deadline:g} s.") from None
    if done.returncode:
        words = last_words(done.stderr.decode(errors="replace"))
        end = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        raise LoadFailed(f"What reads the file broke: {end}" + (f": {words}." if words else "."))
    found = json.loads(done.stdout)
    if "failed" in found:
        raise LoadFailed(found["failed"])
    return KerasFacts(found["version"], found["code"], tuple(found["custom"]))


def main(folder: str) -> None:
    """Read the one Keras file in a folder, and print its metadata as JSON."""
    _limit_memory()
    from pytest_wml.model.keras_file import read

    try:
        file = read(Path(folder))
    except LoadFailed as failure:
        print(json.dumps({"failed": str(failure)}))
    else:
        print(json.dumps({"version": file.version, "code": file.code, "custom": file.custom}))


def _limit_memory() -> None:
    # What is packed small may be large: it must not take the machine's memory.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
