"""Python functions: a source file with `score(payload)` or `score(payload, token)`."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytest_wml.emulator.runtimes.protocol import RunsCode, ScoringFailed, ScoringRequest
from pytest_wml.model.causes import full_reason
from pytest_wml.model.serving import LoadFailed

SOURCE = "function.py"
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_PAYLOAD, _TOKEN = object(), object()
"""Stand for the arguments while a signature is tried."""
_Call = Callable[[Any, Any], tuple[tuple[Any, ...], dict[str, Any]]]
"""From payload and token to the arguments of `score`."""


def load(folder: Path, trusted: bool = False) -> DeployedFunction:
    """Run the source file in `folder` and take its `score`.

    Raises:
        RunsCode: unless code may run.
        LoadFailed: the source cannot be run, or has no `score` that can be called.
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
        raise LoadFailed(f"The function's source cannot be run. {full_reason(problem)}") from problem
    score = getattr(module, "score", None)
    if not callable(score):
        raise LoadFailed("The function's source has no function 'score'.")
    return DeployedFunction(score)


class DeployedFunction:
    """A deployed function.

    Args:
        score: takes the body of a request, and the bearer token of the caller where its signature has a place for it.

    Raises:
        LoadFailed: `score` takes something else.
    """

    written_by = ""
    warnings = ()

    def __init__(self, score: Callable[..., Any]) -> None:
        self._score = score
        self._arguments, self.takes_token = _call_of(score)

    def answer(self, request: ScoringRequest) -> Any:
        """What the function returns for the body of the request, as it is.

        Raises:
            ScoringFailed: the function raised.
        """
        arguments, named = self._arguments(request.payload, request.token)
        try:
            return self._score(*arguments, **named)
        except Exception as problem:
            raise ScoringFailed(f"The function failed. {full_reason(problem)}") from problem

    def close(self) -> None:
        """Nothing to free."""


def _call_of(score: Callable[..., Any]) -> tuple[_Call, bool]:
    """How to call `score`, and whether that passes the token.

    Raises:
        LoadFailed: it takes neither a payload nor a payload and a token.
    """
    try:
        # A decorator is called by its own signature, and means that of what it wraps.
        called, meant = inspect.signature(score, follow_wrapped=False), inspect.signature(score)
    except (TypeError, ValueError):  # a built-in that does not say what it takes
        return _payload_only, False
    for call in _calls(meant):
        arguments, named = call(_PAYLOAD, _TOKEN)
        if _accepts(called, arguments, named):
            return call, call is not _payload_only
    raise LoadFailed(
        f"The function 'score' cannot be called: it takes {meant}, and is called as score(payload) or "
        "score(payload, token)."
    )


def _calls(signature: inspect.Signature) -> Iterator[_Call]:
    """Yield the ways to call a function with such a signature, those with a token first."""
    parameters = list(signature.parameters.values())
    by_position = [parameter for parameter in parameters if parameter.kind in _BY_POSITION]
    any_number = any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    if any(map(_may_be_a_token, by_position[1:2])) or (any_number and len(by_position) < 2):
        yield lambda payload, token: ((payload, token), {})
    by_keyword = [parameter for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    for parameter in by_keyword:
        if parameter.default is inspect.Parameter.empty or _is_an_empty_token(parameter):
            yield _by_keyword(parameter.name)
    yield _payload_only


def _payload_only(payload: Any, token: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    del token
    return (payload,), {}


def _by_keyword(name: str) -> _Call:
    return lambda payload, token: ((payload,), {name: token})


def _may_be_a_token(parameter: inspect.Parameter) -> bool:
    # IBM's documentation knows no other second parameter; a number or a list is an option of the function's own.
    return parameter.default in (inspect.Parameter.empty, None) or isinstance(parameter.default, str)


def _is_an_empty_token(parameter: inspect.Parameter) -> bool:
    return "token" in parameter.name.lower() and parameter.default in (None, "")


def _accepts(signature: inspect.Signature, arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        return False
    return True
