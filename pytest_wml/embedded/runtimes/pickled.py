"""Objects in pickles."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import joblib

from pytest_wml.embedded.runtimes.protocol import LoadFailed, RunsCode, told

SUFFIXES = (".pkl", ".pickle", ".joblib")


def unpickled(folder: Path, trusted: bool) -> Any:
    """The object in the one pickle of a folder, written by pickle or joblib.

    Raises:
        RunsCode: always, unless code may run: a pickle is a program that makes an object.
        LoadFailed: there is no pickle, there are several, or it cannot be loaded.
    """
    if not trusted:
        raise RunsCode("A pickle is a program that runs when it is loaded.")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise LoadFailed(f"The archive needs one pickle at its root; found {names}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that differ, which the service tells in its own way
            return joblib.load(found[0])
    except Exception as problem:
        raise LoadFailed(f"The pickle {found[0].name} cannot be loaded. {told(problem)}") from problem
