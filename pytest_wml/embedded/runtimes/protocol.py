"""What a runtime is to the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class BadInput(Exception):
    """The input data does not fit the model; the message names the input, what it takes and what came."""


class LoadFailed(Exception):
    """The archive cannot be served; the message is what the deployment's failure will say."""


class Runtime(Protocol):
    """A loaded model."""

    def score(self, input_data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Score the elements of `input_data`; returns the elements of `predictions`.

        Raises:
            BadInput: the input data does not fit the model.
        """


class Loader(Protocol):
    """Loads the models of one framework."""

    def __call__(self, folder: Path) -> Runtime:
        """Load the unpacked archive in `folder`, which stays until the runtime is dropped.

        Raises:
            LoadFailed: it cannot be served.
        """
