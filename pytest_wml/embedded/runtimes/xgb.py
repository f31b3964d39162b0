"""XGBoost models, in XGBoost's own formats or in a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from pytest_wml.embedded.runtimes.pickled import SUFFIXES as PICKLES
from pytest_wml.embedded.runtimes.pickled import unpickled
from pytest_wml.embedded.runtimes.protocol import BadInput, Elements, LoadFailed, Model, told
from pytest_wml.embedded.runtimes.rows import Array, array, listed, named_columns, plain, table

SUFFIXES = (".json", ".ubj", ".model", ".bst")


def load(folder: Path, trusted: bool = False) -> Model:
    """Load the model in `folder`: a `.json` or `.ubj` of XGBoost's, else a pickle.

    Raises:
        RunsCode: it is a pickle, and no code may run.
        LoadFailed: it cannot be loaded.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if found and not any(path.suffix.lower() in PICKLES for path in folder.iterdir()):
        return Boosted(_booster(found))
    model, _ = unpickled(folder, trusted)
    return Boosted(model) if isinstance(model, xgboost.Booster) else _predictor(model)


def _predictor(model: Any) -> Model:
    # Of scikit-learn's kind, which is not needed for boosters.
    from pytest_wml.embedded.runtimes.scikit_learn import Predictor

    return Predictor(model)


def _booster(found: list[Path]) -> xgboost.Booster:
    if len(found) != 1:
        raise LoadFailed(f"The archive needs one model at its root; found {', '.join(path.name for path in found)}.")
    booster = xgboost.Booster()
    try:
        booster.load_model(found[0])
    except (xgboost.core.XGBoostError, ValueError, OSError) as problem:
        raise LoadFailed(f"XGBoost cannot load {found[0].name}. {told(problem)}") from problem
    return booster


class Boosted(Model):
    """A booster, answering as the classifier or regressor that its objective makes it."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self._booster = booster
        config = json.loads(booster.save_config())
        self._objective = str(config["learner"]["objective"]["name"])
        version = config.get("version") or []
        self.written_by = f"XGBoost {'.'.join(map(str, version))}" if version else ""

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each element: `prediction`, and `probability` where the objective gives one.

        Raises:
            BadInput: XGBoost refuses the rows.
        """
        return [self._scored(element) for element in input_data]

    def _scored(self, element: dict[str, Any]) -> dict[str, Any]:
        rows = listed(element)
        names = named_columns(element, rows)
        if not rows:
            return self._told(np.empty((0, 1)))
        width = len(rows[0]) if isinstance(rows[0], list) else 1
        if width != self._booster.num_features():
            # XGBoost itself takes columns that are not there for missing values.
            raise BadInput(f"The model takes {self._booster.num_features()} columns; got {width}.")
        try:
            matrix = xgboost.DMatrix(array(rows).astype(np.float64), feature_names=names or self._booster.feature_names)
            return self._told(self._booster.predict(matrix))
        except (xgboost.core.XGBoostError, ValueError, TypeError) as problem:
            raise BadInput(f"The model refuses the input. {told(problem)}") from problem

    def _told(self, raw: Array) -> dict[str, Any]:
        if self._objective == "binary:logistic":
            positive = raw.reshape(-1)
            both = np.stack([1 - positive, positive], axis=1)
            return table(prediction=plain((positive > 0.5).astype(int)), probability=plain(both))
        if self._objective == "multi:softprob":
            return table(prediction=plain(raw.argmax(axis=1)) if len(raw) else [], probability=plain(raw))
        return table(prediction=plain(raw) if len(raw) else [])
