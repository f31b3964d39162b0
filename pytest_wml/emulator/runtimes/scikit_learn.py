"""scikit-learn models in a pickle."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import joblib
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel, RunsCode
from pytest_wml.emulator.runtimes.rows import array, listed, named_columns, plain, table
from pytest_wml.model.causes import full_reason
from pytest_wml.model.kinds import PICKLES
from pytest_wml.model.serving import LoadFailed


def load(folder: Path, trusted: bool = False) -> Predictor:
    """Load the pickle in `folder`.

    Raises:
        RunsCode: unless code may run.
        LoadFailed: it cannot be loaded, or is nothing that predicts.
    """
    model, warnings = unpickled(folder, trusted)
    # A pickle tells its version when it is another than what is installed.
    others = [
        warning.original_sklearn_version for warning in warnings if isinstance(warning, InconsistentVersionWarning)
    ]
    return Predictor(model, f"scikit-learn {others[0] if others else sklearn.__version__}")


class Predictor(LoadedModel):
    """Anything with `predict`, and with `predict_proba` if it gives probabilities.

    Args:
        model: the object.
        written_by: the package that wrote it, with its version; empty where that is not known.
    """

    def __init__(self, model: Any, written_by: str = "") -> None:
        if not callable(getattr(model, "predict", None)):
            raise LoadFailed(f"The pickle holds a {type(model).__name__}, which has no 'predict'.")
        _check_classes(getattr(model, "classes_", ()))
        self._model = model
        self.written_by = written_by

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each element: `prediction`, and `probability` from a classifier that gives one.

        Rows with `fields` are given to the model as a data frame, others as an array.

        Raises:
            BadInput: the model refuses the rows.
        """
        return [self._scored(element) for element in input_data]

    def _scored(self, element: dict[str, Any]) -> dict[str, Any]:
        rows = listed(element)
        names = named_columns(element, rows)
        if not rows:
            return table(prediction=[], probability=[] if self._has_probabilities() else None)
        table_in = array(rows) if names is None else _frame(rows, names)
        try:
            predicted = plain(self._model.predict(table_in))
            probabilities = self._probabilities(table_in) if self._has_probabilities() else None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as problem:
            # How the models tell that they cannot use what they were given.
            raise BadInput(f"The model refuses the input. {full_reason(problem)}") from problem
        return table(prediction=predicted, probability=probabilities)

    def _has_probabilities(self) -> bool:
        return hasattr(self._model, "predict_proba")

    def _probabilities(self, table_in: Any) -> list[Any]:
        found = self._model.predict_proba(table_in)
        if isinstance(found, list):
            # Of several labels: an array each, and a row here for each row there.
            return [list(row) for row in zip(*map(plain, found), strict=True)]
        return plain(found)


def _check_classes(classes: Any) -> None:
    """Pass when the classes of a model, or of each of its outputs, can be written as JSON.

    Raises:
        LoadFailed: they cannot, such as dates.
    """
    try:
        json.dumps([plain(each) for each in classes] if isinstance(classes, list) else plain(classes))
    except TypeError as problem:
        raise LoadFailed(f"The classes of the model cannot be written as JSON. {full_reason(problem)}") from problem


def _frame(rows: list[Any], names: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=names)


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
