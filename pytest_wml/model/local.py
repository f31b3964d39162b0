"""A model's archive, run by TensorFlow in this process: what a deployment's answers are compared with."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_wml.errors import BadArchive, BadPayload
from pytest_wml.model.archive import read_archive, require_savedmodel, safe_extract
from pytest_wml.model.causes import reason
from pytest_wml.model.frameworks import importing, require


class LocalModel:
    """A SavedModel loaded once; a context manager that deletes what was unpacked for it.

    Args:
        archive: a .tar.gz, .tar or .zip with ``saved_model.pb`` at its root, or a SavedModel's folder.

    Raises:
        MissingExtra: TensorFlow is not installed.
        BadArchive: the archive holds no SavedModel, or TensorFlow cannot load it.
    """

    def __init__(self, archive: Path | str) -> None:
        require("tensorflow", "to run a model in this process")
        self.archive = read_archive(archive)
        require_savedmodel(self.archive)
        folder = Path(archive)
        unpacked = None if folder.is_dir() else Path(tempfile.mkdtemp(prefix="pytest-wml-"))
        self._clean = weakref.finalize(self, _delete, unpacked)
        if unpacked:
            folder = safe_extract(archive, unpacked)
        self._model, self._served = _loaded(folder)

    def __enter__(self) -> LocalModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Delete what was unpacked; the model must not be used any more."""
        self._clean()

    def predict(self, inputs: Mapping[str, npt.ArrayLike] | npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
        """Compute the served signature's outputs.

        Args:
            inputs: an array an input by name, or one array for a model with one input; converted to the types
                that
                the signature asks for, never reshaped.

        Returns:
            an array an output by name; strings as bytes objects.

        Raises:
            BadPayload: the inputs do not fit the signature.
        """
        import tensorflow as tf

        wanted = self._served.structured_input_signature[1]
        given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(wanted, inputs)
        if set(given) != set(wanted) or (len(wanted) > 1 and not isinstance(inputs, Mapping)):
            raise BadPayload(
                "The inputs are not those that the model asks for.",
                wanted=", ".join(sorted(wanted)),
                given=", ".join(sorted(inputs)) if isinstance(inputs, Mapping) else "one array",
            )
        try:
            tensors = {name: tf.constant(given[name], dtype=spec.dtype) for name, spec in wanted.items()}
            for name, spec in wanted.items():
                # The function itself takes any shape that its first operation happens to take.
                spec.shape.assert_is_compatible_with(tensors[name].shape)
            answer = self._served(**tensors)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise _unfit(wanted, given, error) from error
        return {name: value.numpy() for name, value in answer.items()}


def _unfit(wanted: Mapping[str, Any], given: Mapping[str, Any], error: Exception) -> BadPayload:
    return BadPayload(
        "The model cannot take these inputs.",
        wanted=", ".join(f"{name}: {spec.dtype.name} {spec.shape}" for name, spec in wanted.items()),
        given=", ".join(f"{name}: {_shape(value)}" for name, value in given.items()),
        cause=reason(error),
    )


def _shape(value: Any) -> str:
    try:
        return str(np.shape(value))
    except ValueError:
        return "rows of different lengths"


def _delete(folder: Path | None) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _loaded(folder: Path) -> tuple[Any, Any]:
    with importing("TensorFlow"):
        import tensorflow as tf

    try:
        model = tf.saved_model.load(str(folder))
        names = sorted(model.signatures)
        served = "serving_default" if "serving_default" in names else names[0]
        return model, model.signatures[served]
    except (OSError, ValueError, IndexError, RuntimeError, tf.errors.OpError) as error:
        raise BadArchive("TensorFlow cannot load the SavedModel.", cause=str(error)[:500]) from error
