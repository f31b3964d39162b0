"""Python functions: a source file with `score(payload)`."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_wml.embedded.runtimes.protocol import LoadFailed, RunsCode, ScoringFailed, ScoringRequest, told

SOURCE = "function.py"


def load(folder: Path, trusted: bool = False) -> Function:
    """Run the source file in `folder` and take its `score`.

    Raises:
        RunsCode: unless code may run.
        LoadFailed: the source cannot be run, or has no `score`.
    """
    if not trusted:
        raise RunsCode("A function is code that runs when it is deployed and scored.")
    module = types.ModuleType("function")
    # Found by name, as dataclasses look for the module they are in; this is a process of its own.
    sys.modules[module.__name__] = module
    try:
        # As bytes, so that Python itself finds the mark or the comment that tells its encoding.
        source = (folder / SOURCE).read_bytes()
        exec(compile(source, SOURCE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 the caller allowed it
    except Exception as problem:
        raise LoadFailed(f"The function's source cannot be run. {told(problem)}") from problem
    score = getattr(module, "score", None)
    if not callable(score):
        raise LoadFailed("The function's source has no function 'score'.")
    return Function(score)


class Function:
    """A deployed function."""

    written_by = ""
    warnings = ()

    def __init__(self, score: Callable[[Any], Any]) -> None:
        self._score = score

    def answer(self, request: ScoringRequest) -> Any:
        """What the function returns for the body of the request, as it is.

        Raises:
            ScoringFailed: the function raised.
        """
        try:
            return self._score(request.payload)
        except Exception as problem:
            raise ScoringFailed(f"The function failed. {told(problem)}") from problem

    def close(self) -> None:
        """Nothing to free."""
