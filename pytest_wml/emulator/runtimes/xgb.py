"""XGBoost models, in XGBoost's own formats or in a pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel
from pytest_wml.emulator.runtimes.rows import array, listed, named_columns, plain, table
from pytest_wml.emulator.runtimes.scikit_learn import Predictor, unpickled
from pytest_wml.emulator.runtimes.tensors import Array
from pytest_wml.model.causes import full_reason
from pytest_wml.model.kinds import PICKLES, XGBOOST_FILES
from pytest_wml.model.serving import LoadFailed


def load(folder: Path, trusted: bool = False) -> LoadedModel:
    """Load the model in `folder`: a `.json` or `.ubj` of XGBoost's, else a pickle.

    Raises:
        RunsCode: it is a pickle, and no code may run.
        LoadFailed: it cannot be loaded.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in XGBOOST_FILES)
    if found and not any(path.suffix.lower() in PICKLES for path in folder.iterdir()):
        return _native(found)
    model, _ = unpickled(folder, trusted)
    return Boosted(model) if isinstance(model, xgboost.Booster) else Predictor(model)


def _native(found: list[Path]) -> LoadedModel:
    if len(found) != 1:
        raise LoadFailed(f"The archive needs one model at its root; found {', '.join(path.name for path in found)}.")
    booster = xgboost.Booster()
    try:
        booster.load_model(found[0])
        estimator = _estimator(found[0], booster)
    except (xgboost.core.XGBoostError, ValueError, TypeError, OSError) as problem:
        raise LoadFailed(f"XGBoost cannot load {found[0].name}. {full_reason(problem)}") from problem
    return Boosted(booster) if estimator is None else Predictor(estimator, _written_by(booster))


def _estimator(path: Path, booster: xgboost.Booster) -> Any:
    """The estimator of scikit-learn's kind that wrote a file; None for the file of a booster.

    An estimator that was stopped early answers with its best iteration, and a booster with all of them.
    """
    written = json.loads(booster.attr("scikit_learn") or "{}")
    # XGBoost before 1.4 wrote the name of the class alone: XGBRFClassifier.
    kind = str(written.get("_estimator_type") or written.get("type", "")).lower()
    make = next((each for name, each in _ESTIMATORS.items() if kind.endswith(name)), None)
    if make is None:
        return None
    estimator = make()
    estimator.load_model(path)
    labels = written.get("classes_")
    return _Labelled(estimator, labels) if labels and labels != list(range(len(labels))) else estimator


_ESTIMATORS = {
    "classifier": xgboost.XGBClassifier,
    "regressor": xgboost.XGBRegressor,
    "ranker": xgboost.XGBRanker,
}


class _Labelled:
    """A classifier of XGBoost before 1.6, which took labels of any type and kept them in its file."""

    def __init__(self, estimator: Any, labels: list[Any]) -> None:
        self._labels = np.asarray(labels)
        self.predict_proba = estimator.predict_proba
        self._columns = estimator.predict

    def predict(self, rows: Any) -> Any:
        return self._labels[self._columns(rows)]


def _written_by(booster: xgboost.Booster) -> str:
    version = json.loads(booster.save_config()).get("version") or []
    return f"XGBoost {'.'.join(map(str, version))}" if version else ""


class Boosted(LoadedModel):
    """A booster, answering as the classifier or regressor that its objective makes it, with all its iterations."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self._booster = booster
        self._objective = str(json.loads(booster.save_config())["learner"]["objective"]["name"])
        self.written_by = _written_by(booster)
        self.warnings = tuple(_stopped_early(booster))

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
            return self._shown(np.empty((0, 1)))
        width = len(rows[0]) if isinstance(rows[0], list) else 1
        if width != self._booster.num_features():
            # XGBoost itself takes columns that are not there for missing values.
            raise BadInput(f"The model takes {self._booster.num_features()} columns; got {width}.")
        try:
            matrix = xgboost.DMatrix(array(rows).astype(np.float64), feature_names=names or self._booster.feature_names)
            return self._shown(self._booster.predict(matrix))
        except (xgboost.core.XGBoostError, ValueError, TypeError) as problem:
            raise BadInput(f"The model refuses the input. {full_reason(problem)}") from problem

    def _shown(self, raw: Array) -> dict[str, Any]:
        if self._objective == "binary:logistic":
            positive = raw.reshape(-1)
            both = np.stack([1 - positive, positive], axis=1)
            return table(prediction=plain((positive > 0.5).astype(int)), probability=plain(both))
        if self._objective == "multi:softprob":
            return table(prediction=plain(raw.argmax(axis=1)) if len(raw) else [], probability=plain(raw))
        return table(prediction=plain(raw) if len(raw) else [])


def _stopped_early(booster: xgboost.Booster) -> Iterator[str]:
    rounds, best = booster.num_boosted_rounds(), booster.attr("best_iteration")
    if best is not None and int(best) + 1 < rounds:
        yield (
            f"The XGBoost model is a Booster that was stopped early: it answers with all {rounds} iterations, as "
            "Booster.predict does. Saved by XGBClassifier or XGBRegressor itself it would answer with the best "
            f"{int(best) + 1}."
        )
