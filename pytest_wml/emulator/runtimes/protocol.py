"""What a runtime is to the service."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_wml.model.causes import full_reason
from pytest_wml.model.serving import LoadFailed

Elements = list[dict[str, Any]]


class BadInput(Exception):
    """The input data does not fit the model; the message names the input, what it takes and what came."""


class RunsCode(LoadFailed):
    """The archive can only be loaded by running code that is in it, which the policy does not allow."""


class ScoringFailed(Exception):
    """The model broke while it scored; the message is for the caller."""


class ScoringTimedOut(ScoringFailed):
    """The model did not answer in time."""


@dataclass(frozen=True)
class ScoringRequest:
    """What a runtime is asked to score."""

    payload: Mapping[str, Any]
    """The body of the request; its `input_data` is a list of objects with `values`."""
    token: str = field(default="", repr=False)
    """The bearer token of the caller, which a function may take."""
    schema: Sequence[Mapping[str, Any]] = ()
    """The fields of the training data, as they were stored with the model: objects with `name` and `type`."""


class Runtime(Protocol):
    """A loaded model or function."""

    takes_token: bool
    """Whether it needs the token of a request; no other runtime is given it."""

    @property
    def written_by(self) -> str:
        """The package that wrote the model, with its version: `TensorFlow 2.21.0`; empty where it does not say."""

    @property
    def warnings(self) -> Sequence[str]:
        """Why the service may answer otherwise, or not at all, in a sentence or two each."""

    def answer(self, request: ScoringRequest) -> Any:
        """The document that answers a scoring request, ready to be written as JSON.

        Raises:
            BadInput: the input data does not fit the model.
            ScoringFailed: the model broke.
        """

    def close(self) -> None:
        """Free what the runtime holds; a request that is being scored may fail."""


class Starting(Runtime, Protocol):
    """A runtime that is being loaded."""

    def interrupt(self) -> None:
        """Close, in a process that is about to end: what cannot be stopped takes as little of its time as possible."""


class LoadedModel(abc.ABC):
    """A loaded model: it answers with `predictions` for `input_data`."""

    written_by: str = ""
    warnings: Sequence[str] = ()
    takes_token = False

    @abc.abstractmethod
    def score(self, input_data: Elements) -> Elements:
        """Score the elements of `input_data`; returns the elements of `predictions`.

        Raises:
            BadInput: the input data does not fit the model.
            ScoringFailed: the model broke.
        """

    def answer(self, request: ScoringRequest) -> dict[str, Any]:
        return {"predictions": self.score(request.payload["input_data"])}

    def close(self) -> None:  # noqa: B027 most have nothing to do here
        """Nothing to free: the model goes with the last who holds it."""


@contextlib.contextmanager
def as_load_failed() -> Iterator[None]:
    """Raises whatever is raised inside, also SystemExit, as a `LoadFailed`."""
    try:
        yield
    except LoadFailed:
        raise
    except BaseException as problem:
        raise LoadFailed(f"The model broke while it was loaded. {full_reason(problem)}") from problem


@contextlib.contextmanager
def as_scoring_failed() -> Iterator[None]:
    """Raises whatever is raised inside, also SystemExit, as a `BadInput` or a `ScoringFailed`."""
    try:
        yield
    except (BadInput, ScoringFailed):
        raise
    except BaseException as problem:
        raise ScoringFailed(f"The model broke while it scored. {full_reason(problem)}") from problem
