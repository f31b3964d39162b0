"""scikit-learn models: opt-in, forms of answer, ways to store one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.emulator.rest import predictions_of, refusal_of, tarred

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from pytest_wml.emulator.runtimes.protocol import BadInput
from pytest_wml.emulator.runtimes.scikit_learn import Predictor
from pytest_wml.model.serving import LoadFailed

TYPE = "scikit-learn_1.3"
ROWS = [[0.0], [1.0]]
LABELS = ["No Risk", "Risk"]


def archive_of(model) -> bytes:
    return tarred(scikit_model__pkl=pickle.dumps(model))


def scored(model, element):
    (prediction,) = Predictor(model).score([element])
    return prediction


@pytest.fixture(scope="module")
def classifier():
    return LogisticRegression().fit(ROWS, LABELS)


def test_a_pickle_is_not_loaded_unasked(rest, tmp_path):
    """It would run code; the reason names the option that allows it, and nothing has run."""

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    message = rest.failure(archive_of(Trap()), TYPE)
    assert "A pickle is a program" in message
    assert "EmbeddedWML(allow_pickle=True)" in message
    assert not (tmp_path / "sprung").exists()


@pytest.fixture(scope="module")
def deployment_id(trusting, classifier) -> str:
    return trusting.ready(archive_of(classifier), TYPE)


def test_a_classifier_is_answered_as_recorded(trusting, classifier, deployment_id):
    """The class and the probabilities of each row; the `id` of an element is not told again."""
    (element,) = predictions_of(trusting.score(deployment_id, {"id": "1", "values": [[-5.0], [6.0]]}))
    assert element["fields"] == ["prediction", "probability"]
    assert [row[0] for row in element["values"]] == LABELS
    assert element["values"][1][1] == pytest.approx(list(classifier.predict_proba([[6.0]])[0]))


def test_rows_that_do_not_fit_are_refused(trusting, deployment_id):
    """400 with the model's own reason."""
    message = refusal_of(trusting.score(deployment_id, {"values": [[1.0, 2.0]]}))
    assert "X has 2 features, but LogisticRegression is expecting 1 features" in message


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LinearRegression().fit(ROWS, [4.0, 5.0]), [[4.0], [5.0]]),
        (LinearRegression().fit(ROWS, [[4.0, 1.0], [5.0, 2.0]]), [[[4.0, 1.0]], [[5.0, 2.0]]]),
        (LinearSVC().fit(ROWS, [7, 8]), [[7], [8]]),
    ],
    ids=["regressor", "several outputs", "no probabilities"],
)
def test_without_probabilities_there_is_a_prediction_only(model, expected):
    """One field; as many values in it as the model has outputs."""
    found = scored(model, {"values": ROWS})
    assert found["fields"] == ["prediction"]
    assert np.array(found["values"]) == pytest.approx(np.array(expected))


def test_classes_are_what_the_model_has():
    """Whole numbers stay whole numbers, flags stay flags."""
    whole = scored(KNeighborsClassifier(1).fit(ROWS, [3, 4]), {"values": ROWS})
    flags = scored(KNeighborsClassifier(1).fit(ROWS, [False, True]), {"values": ROWS})
    assert whole["values"] == [[3, [1.0, 0.0]], [4, [0.0, 1.0]]]
    assert [row[0] for row in flags["values"]] == [False, True]


def test_several_labels_have_several_probabilities():
    """A list for each label in each row."""
    model = KNeighborsClassifier(1).fit(ROWS, [[0, 1], [1, 0]])
    found = scored(model, {"values": [[0.0]]})
    assert found["values"] == [[[0, 1], [[1.0, 0.0], [0.0, 1.0]]]]


def test_fields_name_the_columns_of_a_pipeline():
    """A pipeline that picks columns by name is given a data frame, in whatever order the columns come."""
    frame = pd.DataFrame({"city": ["Oslo", "Rome"], "size": [1.0, 2.0]})
    columns = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("size", StandardScaler(), ["size"])])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, LABELS)
    found = scored(model, {"fields": ["size", "city"], "values": [[2.0, "Rome"], [1.0, "Oslo"]]})
    assert [row[0] for row in found["values"]] == ["Risk", "No Risk"]


def test_single_values_may_be_rows():
    """As a pipeline of texts takes them."""
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(["good fine", "bad awful"], LABELS)
    assert [row[0] for row in scored(model, {"values": ["fine", "awful"]})["values"]] == LABELS


def test_a_batch_of_zero_is_scored(classifier):
    """scikit-learn refuses to predict nothing; a service has nothing to refuse."""
    assert scored(classifier, {"values": []}) == {"fields": ["prediction", "probability"], "values": []}


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ({"values": 7}, "must be a list of rows"),
        ({"values": [[1.0], [1.0, 2.0]]}, "different lengths: 1, 2"),
        ({"values": [[1.0], 2.0]}, "different lengths: 1, a single value"),
        ({"values": [["text"]]}, "could not convert string to float"),
        ({"values": [[None]]}, "contains NaN"),
        ({"values": [[{}]]}, "The model refuses the input"),
        ({"fields": "x", "values": ROWS}, "'fields' must be a list of the names"),
        ({"fields": ["x", "y"], "values": ROWS}, "'fields' names 2 columns, and the rows have 1"),
    ],
)
def test_rows_that_are_no_table_are_refused(classifier, element, message):
    """The message names what is wrong with them."""
    with pytest.raises(BadInput, match=message):
        scored(classifier, element)


def test_what_cannot_predict_cannot_be_deployed():
    """A pickle of anything else."""
    with pytest.raises(LoadFailed, match=r"holds a StandardScaler, which has no 'predict'"):
        Predictor(StandardScaler().fit(ROWS))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model__pkl": b"junk"}, "The pickle model.pkl cannot be loaded"),
        ({"readme__txt": b""}, "needs one pickle at its root; found none"),
        ({"a__pkl": b"", "b__joblib": b""}, "found a.pkl, b.joblib"),
        ({"model__pkl": pickle.dumps([1])}, "holds a list, which has no 'predict'"),
        ({"model__pkl": b"cmodel_of_mine\nModel\n."}, "No module named 'model_of_mine'"),
    ],
)
def test_a_pickle_that_is_no_model_fails(tmp_path, files, message):
    """Each with its reason."""
    from pytest_wml.emulator.runtimes.scikit_learn import load

    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_bytes(content)
    with pytest.raises(LoadFailed, match=message):
        load(tmp_path, trusted=True)


@pytest.mark.parametrize("flavour", ["wml cloud", "watsonx cloud"])
def test_an_object_is_stored_by_a_client(flavour, classifier):
    """It goes through raw urllib3, pickled by the client."""
    pytest.importorskip("ibm_watson_machine_learning")
    pytest.importorskip("ibm_watsonx_ai")
    from tests.emulator.clients import connected, deploy, store

    with connected(flavour, allow_pickle=True) as (client, _):
        deployment_id = deploy(client, store(client, classifier, type=TYPE))
        found = client.deployments.score(deployment_id, {"input_data": [{"values": [[6.0]]}]})
    assert found["predictions"][0]["values"][0][0] == "Risk"


def test_a_folder_is_stored_by_a_client(classifier, tmp_path):
    """The client unpickles it and pickles it again."""
    pytest.importorskip("ibm_watson_machine_learning")
    pytest.importorskip("ibm_watsonx_ai")
    import joblib

    from tests.emulator.clients import connected, deploy, store

    joblib.dump(classifier, tmp_path / "model.pkl")
    with connected("wml cloud", allow_pickle=True) as (client, _):
        deployment_id = deploy(client, store(client, tmp_path, type=TYPE))
        found = client.deployments.score(deployment_id, {"input_data": [{"values": [[6.0]]}]})
    assert found["predictions"][0]["values"][0][0] == "Risk"
