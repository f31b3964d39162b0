"""Where something was measured, and what with."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "pytest",
    "pytest-recording",
    "vcrpy",
    "ibm-watson-machine-learning",
    "tensorflow",
    "keras",
    "numpy",
    "orjson",
    "pytest-xdist",
)


def machine() -> dict[str, str]:
    """The machine, the versions and the day."""
    found = {
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "commit": _commit(),
        "load": f"{os.getloadavg()[1]:.1f} in the last five minutes, ours included",
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{_memory():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
    }
    return found | {package: version for package in _PACKAGES if (version := _version(package))}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    asked = ["git", "-C", str(Path(__file__).parent), "log", "-1", "--format=%h", "--", "../../pytest_wml", "."]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
