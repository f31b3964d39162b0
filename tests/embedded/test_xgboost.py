"""XGBoost models: its own formats without opt-in, pickles with it."""

from __future__ import annotations

import pickle

import pytest

from tests.embedded.rest import predictions_of, refusal_of, tarred

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
    from pytest_wml.embedded.runtimes.xgb import Boosted

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
    from pytest_wml.embedded.runtimes.xgb import load

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
    assert "wml_allow_pickle" in rest.failure(archive, TYPE)
    (found,) = predictions_of(trusting.score(trusting.ready(archive, TYPE), {"values": ROWS[:2]}))
    assert found["fields"] == ["prediction", "probability"]
    assert [row[0] for row in found["values"]] == [0, 1]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model__json": b"{}"}, "XGBoost cannot load model.json"),
        ({"a__json": b"{}", "b__ubj": b""}, "needs one model at its root; found a.json, b.ubj"),
    ],
)
def test_what_is_no_model_fails(tmp_path, files, message):
    """Each with its reason."""
    from pytest_wml.embedded.runtimes.protocol import LoadFailed
    from pytest_wml.embedded.runtimes.xgb import load

    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_bytes(content)
    with pytest.raises(LoadFailed, match=message):
        load(tmp_path)
