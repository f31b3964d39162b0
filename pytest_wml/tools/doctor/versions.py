"""Checks the versions of the relevant packages and their compatibility."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping

from packaging.version import InvalidVersion, Version

from pytest_wml.tools.doctor.lines import Line, failed, passed, warned

WML, WATSONX = "ibm-watson-machine-learning", "ibm-watsonx-ai"
_PACKAGES = ("pytest", "pytest-wml", WML, WATSONX, "numpy", "pandas", "tensorflow", "pytest-xdist")
_LEAST = {"pytest": "8", WML: "1.0.360", WATSONX: "1.5", "tensorflow": "2.18", "numpy": "1.26"}
"""The minimum versions in pyproject.toml."""
_LEAST_PYTHON = "3.11"
_END_OF_WML = Version("3.13")
"""The first Python version without ibm-watson-machine-learning."""


def installed() -> dict[str, str]:
    """Versions of the installed packages, and of `python`."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def lines(found: Mapping[str, str]) -> Iterator[Line]:
    """Yield a line for each package, and for each incompatible pair.

    Args:
        found: package → version; contains `python`.
    """
    yield _python(found["python"])
    for name in ("pytest", "pytest-wml"):
        yield _package(name, found.get(name), f"pip install -U {name}")
    yield from _clients(found)
    yield from _numbers(found)
    yield _optional("tensorflow", found, "replay does without; --wml=embedded needs it", "pytest-wml[tensorflow]")
    yield _optional("pytest-xdist", found, "tests run one after the other", "pytest-xdist")


def _python(version: str) -> Line:
    if _older(version, _LEAST_PYTHON):
        return failed("python", version, f"use Python {_LEAST_PYTHON} or newer")
    return passed("python", version)


def _package(name: str, version: str | None, fix: str) -> Line:
    if version is None:
        return failed(name, "not installed", fix)
    if _older(version, _LEAST.get(name, "0")):
        return failed(name, f"{version}, which is older than {_LEAST[name]}", fix)
    return passed(name, version)


def _clients(found: Mapping[str, str]) -> Iterator[Line]:
    clients = [name for name in (WML, WATSONX) if name in found]
    for name in clients:
        yield _package(name, found[name], f"pip install -U {name}")
    if not clients:
        newer = not _older(found["python"], str(_END_OF_WML))
        extra = "watsonx" if newer else "wml"
        yield warned(
            "IBM's client",
            f"neither {WML} nor {WATSONX} is installed; the fixtures need one of them",
            f'pip install "pytest-wml[{extra}]"',
        )


def _numbers(found: Mapping[str, str]) -> Iterator[Line]:
    numpy, pandas = found.get("numpy"), found.get("pandas")
    yield _package("numpy", numpy, "pip install -U numpy")
    if numpy is None or pandas is None:
        return
    if not _older(numpy, "2") and _older(pandas, "2.2.2"):
        yield failed(
            "pandas",
            f"{pandas} cannot be imported beside numpy {numpy}",
            f'pip install "numpy<2"{f" ({WML} requires pandas below 2.2)" if WML in found else ""}',
        )
        return
    yield passed("pandas", f"{pandas}, compatible with numpy {numpy}")


def _optional(name: str, found: Mapping[str, str], without: str, requirement: str) -> Line:
    if name in found:
        return _package(name, found[name], f"pip install -U {name}")
    return passed(name, f'not installed: {without} (pip install "{requirement}")')


def _older(version: str, least: str) -> bool:
    try:
        return Version(version) < Version(least)
    except InvalidVersion:
        return False
