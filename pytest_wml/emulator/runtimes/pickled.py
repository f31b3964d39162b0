"""Objects in pickles."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import joblib

from pytest_wml.emulator.runtimes.protocol import RunsCode
from pytest_wml.model.causes import full_reason
from pytest_wml.model.kinds import PICKLES
from pytest_wml.model.serving import LoadFailed


def unpickled(folder: Path, trusted: bool) -> tuple[Any, list[Warning]]:
    """The object in the one pickle of a folder, written by pickle or joblib, and the warnings of loading it.

    Raises:
        RunsCode: always, unless code may run: a pickle is a program that makes an object.
        LoadFailed: there is no pickle, there are several, or it cannot be loaded.
    """
    if not trusted:
        raise RunsCode("A pickle is a program that runs when it is loaded.")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICKLES)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise LoadFailed(f"The archive needs one pickle at its root; found {names}.")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = joblib.load(found[0])
    except Exception as problem:
        raise LoadFailed(f"The pickle {found[0].name} cannot be loaded. {full_reason(problem)}") from problem
    return model, [warning.message for warning in caught if isinstance(warning.message, Warning)]
