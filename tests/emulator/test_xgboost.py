"""XGBoost models: its own formats without opt-in, pickles with it."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from tests.emulator.rest import predictions_of, refusal_of, tarred

xgboost = pytest.importorskip("xgboost")

TYPE = "xgboost_2.0"
ROWS = [[0.0, 1.0], [1.0, 0.0]] * 8


def trained(objective: str, labels: list[float], **parameters: object):
    matrix = xgboost.DMatrix(ROWS, label=labels)
    return xgboost.train({"objective": objective, "min_child_weight": 0, "nthread": 1, **parameters}, matrix, 8)


@pytest.fixture(scope="module")
def binary():
    return trained("binary:logistic", [0.0, 1.0] * 8)


def score(model, rows):
    from pytest_wml.emulator.runtimes.xgb import Boosted

    (prediction,) = Boosted(model).score([{"values": rows}])
    return prediction


def test_a_classifier_is_answered_with_classes(rest, binary):
    """Whole numbers as classes, and the probability of each; no code runs, so nothing has to be allowed."""
    deployment_id = rest.ready(tarred(model__json=bytes(binary.save_raw("json"))), TYPE)
    (found,) = predictions_of(rest.score(deployment_id, {"values": ROWS[:2]}))
    assert found["fields"] == ["prediction", "probability"]
    assert [row[0] for row in found["values"]] == [0, 1]
    assert sum(found["values"][0][1]) == pytest.approx(1.0)
    assert "The model takes 2 columns; got 1." in refusal_of(rest.score(deployment_id, {"values": [[1.0]]}))


def test_the_binary_format_is_read(binary, tmp_path):
    """`.ubj` is what XGBoost writes by default."""
    from pytest_wml.emulator.runtimes.xgb import load

    (tmp_path / "model.ubj").write_bytes(bytes(binary.save_raw("ubj")))
    model = load(tmp_path)
    assert model.score([{"values": ROWS[:1]}])[0]["values"][0][0] == 0
    assert model.written_by == f"XGBoost {xgboost.__version__}"


def test_several_classes_have_several_probabilities():
    """The class is the most probable one."""
    found = score(trained("multi:softprob", [0.0, 2.0] * 8, num_class=3), ROWS[:2])
    assert [row[0] for row in found["values"]] == [0, 2]
    assert len(found["values"][0][1]) == 3


def test_a_regressor_has_a_prediction_only():
    """One field."""
    found = score(trained("reg:squarederror", [1.0, 5.0] * 8), ROWS[:2])
    assert found["fields"] == ["prediction"]
    assert found["values"][0][0] < 3.0 < found["values"][1][0]


def test_a_batch_of_zero_is_scored(binary):
    """No rows in, no rows out."""
    assert score(binary, []) == {"fields": ["prediction", "probability"], "values": []}


def test_a_pickled_classifier_is_served_where_code_may_run(rest, trusting):
    """As IBM's client writes one that it is given as an object."""
    pytest.importorskip("sklearn")
    model = xgboost.XGBClassifier(n_estimators=2, min_child_weight=0, n_jobs=1).fit(ROWS, [0, 1] * 8)
    archive = tarred(xgboost_model__pkl=pickle.dumps(model))
    assert "EmbeddedWML(allow_pickle=True)" in rest.failure(archive, TYPE)
    (found,) = predictions_of(trusting.score(trusting.ready(archive, TYPE), {"values": ROWS[:2]}))
    assert found["fields"] == ["prediction", "probability"]
    assert [row[0] for row in found["values"]] == [0, 1]


def loaded(folder, name: str, content: bytes):
    from pytest_wml.emulator.runtimes.xgb import load

    (folder / name).write_bytes(content)
    return load(folder, trusted=True)


def answered(model, rows) -> tuple[list, list]:
    """The predictions and the probabilities of a loaded model; no probabilities from a regressor."""
    (found,) = model.score([{"values": rows}])
    columns = list(zip(*found["values"], strict=True))
    return list(columns[0]), list(columns[1]) if "probability" in found["fields"] else []


def content_of(model, name: str, folder) -> bytes:
    if name.endswith(".pkl"):
        return pickle.dumps(model)
    (saved := folder / "saved").mkdir(exist_ok=True)
    model.save_model(saved / name)
    return (saved / name).read_bytes()


def noisy(seed: int = 0):
    """Rows, and labels that more than a few trees learn by heart, so that training is stopped early."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(200, 3))
    return rows, rows[:, 0] + random.normal(size=200)


def stopped(make, labels, **parameters):
    """An estimator that was trained on a half of the rows until the other half got worse."""
    rows, _ = noisy()
    model = make(n_estimators=30, n_jobs=1, early_stopping_rounds=2, **parameters)
    ranks = {"qid": [0] * 100, "eval_qid": [[0] * 100]} if make is xgboost.XGBRanker else {}
    model.fit(rows[:100], labels[:100], eval_set=[(rows[100:], labels[100:])], verbose=False, **ranks)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    return model


ESTIMATORS = {
    "two classes": (xgboost.XGBClassifier, [-10, 0, 10], {}),
    "three classes": (xgboost.XGBClassifier, [-10, -0.5, 0.5, 10], {}),
    "softmax": (xgboost.XGBClassifier, [-10, -0.5, 0.5, 10], {"objective": "multi:softmax"}),
    "dart": (xgboost.XGBClassifier, [-10, 0, 10], {"booster": "dart", "rate_drop": 0.1}),
    "regressor": (xgboost.XGBRegressor, None, {}),
    "ranker": (xgboost.XGBRanker, [-10, 0, 10], {}),
}


@pytest.mark.filterwarnings("ignore:.*`booster=dart` is deprecated:UserWarning")  # by newer XGBoosts
@pytest.mark.parametrize(("make", "edges", "parameters"), ESTIMATORS.values(), ids=ESTIMATORS)
def test_an_estimator_that_was_stopped_early_answers_as_itself(tmp_path, make, edges, parameters):
    """In each form that it is stored in: with its best iteration."""
    rows, values = noisy()
    model = stopped(make, values if edges is None else np.digitize(values, edges[1:-1]), **parameters)
    for name in ("model.json", "model.ubj", "model.pkl"):
        (folder := tmp_path / name).mkdir()
        served = loaded(folder, name, content_of(model, name, tmp_path))
        predicted, probabilities = answered(served, rows[:5].tolist())
        assert predicted == pytest.approx(model.predict(rows[:5]).tolist()), name
        if hasattr(model, "predict_proba"):
            assert np.array(probabilities) == pytest.approx(model.predict_proba(rows[:5]), abs=1e-6), name
        assert not served.warnings


def test_a_pipeline_answers_as_itself(tmp_path):
    """A pickle that holds more than XGBoost."""
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rows, values = noisy()
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), xgboost.XGBClassifier(n_estimators=4, n_jobs=1))
    model.fit(rows, values > 0)
    _, probabilities = answered(loaded(tmp_path, "model.pkl", pickle.dumps(model)), rows[:5].tolist())
    assert np.array(probabilities) == pytest.approx(model.predict_proba(rows[:5]), abs=1e-6)


@pytest.mark.parametrize("name", ["model.json", "model.pkl"])
def test_a_booster_that_was_stopped_early_answers_with_all_iterations(tmp_path, name):
    """As its `predict` does; a warning says what an estimator would do."""
    rows, values = noisy()
    booster = stopped(xgboost.XGBClassifier, (values > 0).astype(int)).get_booster()
    served = loaded(tmp_path, name, content_of(booster, name, tmp_path))
    _, probabilities = answered(served, rows[:5].tolist())
    assert [row[1] for row in probabilities] == pytest.approx(
        booster.predict(xgboost.DMatrix(rows[:5])).tolist(), abs=1e-6
    )
    (warning,) = served.warnings
    assert "a Booster that was stopped early: it answers with all" in warning


def test_a_booster_that_ibm_s_client_wraps_answers_as_its_wrapper(tmp_path):
    """The client puts it into an XGBRegressor, whose `predict` stops at the best iteration."""
    rows, values = noisy()
    wrapper = xgboost.XGBRegressor()
    wrapper._Booster = stopped(xgboost.XGBClassifier, (values > 0).astype(int)).get_booster()
    served = loaded(tmp_path, "model.pkl", pickle.dumps(wrapper))
    assert answered(served, rows[:5].tolist()) == (pytest.approx(wrapper.predict(rows[:5]).tolist()), [])


@pytest.mark.parametrize("labels", [[3, 7], ["no", "yes"]])
def test_labels_in_a_file_of_xgboost_before_1_6_are_answered(tmp_path, binary, labels):
    """It kept them in an attribute; a newer classifier knows whole numbers from 0 only."""
    booster = binary.copy()
    booster.set_attr(scikit_learn=json.dumps({"_estimator_type": "classifier", "classes_": labels}))
    predicted, _ = answered(loaded(tmp_path, "model.json", bytes(booster.save_raw("json"))), ROWS[:2])
    assert predicted == labels


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model__json": b"{}"}, "XGBoost cannot load model.json"),
        ({"a__json": b"{}", "b__ubj": b""}, "needs one model at its root; found a.json, b.ubj"),
    ],
)
def test_what_is_no_model_fails(tmp_path, files, message):
    """Each with its reason."""
    from pytest_wml.emulator.runtimes.xgb import load
    from pytest_wml.model.serving import LoadFailed

    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_bytes(content)
    with pytest.raises(LoadFailed, match=message):
        load(tmp_path)
