"""Which outputs of an answer are classes and probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_wml.client.outputs import columns
from pytest_wml.client.scoring import Prediction, prediction

SHARES = [[0.1, 0.9], [0.8, 0.2]]
MAPS = [{"3": 0.1, "7": 0.9}, {"3": 0.8, "7": 0.2}]


def read(**outputs: object) -> Prediction:
    """An answer with these outputs, each an element with its name as `id`."""
    return prediction({"predictions": [{"id": name, "values": values} for name, values in outputs.items()]})


def fields(**columns: list) -> Prediction:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return prediction({"predictions": [{"fields": list(columns), "values": rows}]})


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("label", "probabilities"), [7, 3]),
        (("label", "probabilities"), ["cat", "dog"]),
        (("output_label", "output_probability"), [7, 3]),
        (("label", "scores"), [-1, 1]),
        (("variable", "dense"), [7, 3]),
        (("output_1", "output_0"), ["cat", "dog"]),
        (("predictedLabel", "confidence"), ["yes", "no"]),
        (("class_name", "scores"), ["yes", "no"]),
        (("label", "probabilities"), [7.0, 3.0]),
    ],
)
@pytest.mark.parametrize("first", ["classes", "probabilities"])
def test_classes_are_the_model_s_labels_whatever_the_outputs_are_called(names, labels, first):
    """One value a row beside one number for each class a row; never the column of the largest beside them."""
    outputs = {names[0]: labels, names[1]: SHARES}
    answer = read(**dict(sorted(outputs.items(), key=lambda item: (item[0] == names[0]) == (first != "classes"))))
    assert answer.classes.tolist() == labels
    assert answer.probabilities.tolist() == SHARES


def test_labels_in_a_column_are_one_a_row():
    """Converters write them as [N] or as [N, 1]."""
    assert read(label=[[7], [3]], probabilities=SHARES).classes.tolist() == [7, 3]
    assert read(label=[["a"], ["b"]]).classes.tolist() == ["a", "b"]


def test_elements_without_names_are_told_apart_by_their_form():
    """As a pytorch-onnx model answers."""
    answer = prediction({"predictions": [{"values": SHARES}, {"values": [7, 3]}]})
    assert (answer.classes.tolist(), answer.probabilities.tolist()) == ([7, 3], SHARES)


@pytest.mark.parametrize(("labels", "columns"), [([7, 3], (3, 7)), (["7", "3"], ("3", "7"))], ids=["numbers", "text"])
def test_maps_are_probabilities_with_a_column_for_each_key(labels, columns):
    """In the order of the maps; keys are of the type of the labels."""
    answer = read(output_label=labels, output_probability=MAPS)
    assert answer.classes.tolist() == labels
    assert answer.probabilities.tolist() == SHARES
    assert answer.labels == columns


def test_maps_in_another_order_are_the_same_columns():
    """The keys decide, and the first row their order."""
    answer = read(label=[7, 3], x=[MAPS[0], dict(reversed(MAPS[1].items()))])
    assert answer.probabilities.tolist() == SHARES


def test_maps_alone_give_their_keys_as_classes():
    """The key of the largest number, a number where all keys are."""
    assert read(output_probability=MAPS).classes.tolist() == [7, 3]
    assert read(x=[{"no": 0.1, "yes": 0.9}]).classes.tolist() == ["yes"]


def test_maps_with_different_keys_are_no_probabilities():
    """Such as the words of a text with their counts."""
    answer = read(words=[{"a": 1.0}, {"b": 2.0}])
    assert answer.probabilities is None
    assert answer.outputs["words"].tolist() == [{"a": 1.0}, {"b": 2.0}]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("token_count", [12, 5]),
        ("length", [1, 0]),
        ("row_id", [17, 18]),
        ("key", ["a", "b"]),
        ("value", [0.5, 0.25]),
        ("flags", [[1, 2], [3, 4]]),
        ("model_version", [3, 3]),
        ("revision", [3, 3]),
        ("num_classes", [2, 2]),
    ],
)
def test_other_values_of_a_row_are_no_classes(name, values):
    """Counts, keys and measures, by their name; and a number that does not go with the largest probability."""
    assert read(**{name: values, "probabilities": SHARES}).classes.tolist() == [1, 0]


def test_more_values_than_classes_are_no_classes():
    """Three different numbers cannot be two classes."""
    shares = [[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]
    assert read(seen=[7, 3, 5], probabilities=shares).classes.tolist() == [1, 0, 1]


def test_two_outputs_that_may_be_classes_are_not_chosen_from():
    """Unless one is called so."""
    assert read(a=[7, 3], b=[5, 4], probabilities=SHARES).classes.tolist() == [1, 0]
    assert read(a=[7, 3], label=[5, 4], probabilities=SHARES).classes.tolist() == [5, 4]


def test_labels_that_are_called_so_need_not_be_the_most_probable():
    """A threshold of the model's own, or a support vector machine, decides otherwise."""
    assert read(label=[3, 3], probabilities=SHARES).classes.tolist() == [3, 3]
    assert read(output_label=[3, 3], output_probability=MAPS).classes.tolist() == [3, 3]


def test_an_outlier_detector_answers_labels_beside_one_score():
    """scikit-learn's converter gives `label` [N, 1] and `scores` [N, 1]."""
    assert read(label=[[1], [-1]], scores=[[0.1], [-0.2]]).classes.tolist() == [1, -1]


def test_a_regression_beside_a_regression_is_no_class():
    """Floats are measures."""
    answer = read(price=[1.5, 2.5], area=[[3.0], [4.0]])
    assert (answer.classes, answer.probabilities) == (None, None)


def test_whole_numbers_beside_a_single_score_need_the_name_of_a_class():
    """A count and a price are not a class and its score."""
    assert read(rooms=[3, 4], price=[[1.5], [2.5]]).classes is None


def test_an_output_that_is_no_distribution_is_no_probabilities():
    """An embedding or logits beside the labels."""
    answer = read(label=[7, 3], embedding=[[1.0, 5.0], [6.0, 2.0]])
    assert answer.classes.tolist() == [7, 3]
    assert answer.probabilities is None


def test_attention_that_sums_to_one_is_no_probabilities():
    """Its largest column does not go with the label."""
    assert read(label=[7, 3], attention=[[0.4, 0.6], [0.4, 0.6]]).probabilities is None


@pytest.mark.parametrize("name", ["classes", "class_names"])
def test_a_row_that_names_all_classes_has_the_one_with_the_highest_score(name):
    """As estimators of TensorFlow answer."""
    assert read(**{name: [["cat", "dog"]] * 2, "scores": SHARES}).classes.tolist() == ["dog", "cat"]


def test_names_of_all_classes_are_no_classes_of_rows():
    """A constant output with a name for each class."""
    assert read(class_names=["a", "b", "c"], probabilities=[[0.1, 0.9, 0.0]]).classes.tolist() == [1]


def test_spark_s_prediction_is_the_class_and_not_the_label_that_was_sent():
    """The answer repeats the columns of the request."""
    answer = fields(label=[5.0, 5.0], age=[30, 31], probability=SHARES, prediction=[1.0, 0.0])
    assert answer.classes.tolist() == [1.0, 0.0]
    regression = fields(label=[5.0, 5.0], prediction=[4.5, 5.5])
    assert regression.classes.tolist() == [4.5, 5.5]


def test_keras_keeps_its_own_form():
    """A list of one class a row for one unit."""
    answer = fields(prediction=[[0.9], [0.1]], prediction_classes=[[1], [0]], probability=[[0.9], [0.1]])
    assert answer.classes.tolist() == [[1], [0]]
    assert answer.probabilities.tolist() == [[0.9], [0.1]]


def test_an_empty_batch_has_no_surprises():
    """No rows in, no rows out."""
    answer = read(label=[], probabilities=[])
    assert answer.outputs["label"].tolist() == []


@pytest.mark.parametrize(
    ("classes", "labels", "named"),
    [
        (["7", "3"], (3, 7), (3, 7)),
        (["7", "3"], (), ("3", "7")),
        (["7", "7"], (), (0, 1)),
        (["1", "0"], (), (0, 1)),
    ],
)
def test_columns_of_probabilities_are_named_by_their_classes(classes, labels, named):
    """By the answer, else by the rows where a column is the largest; where these contradict, by their number."""
    assert columns(np.array(classes), np.array(SHARES), labels) == named


def test_a_column_that_no_row_has_as_its_class_is_named_by_its_number():
    """Nothing says what it stands for."""
    assert columns(np.array(["7"]), np.array([[0.1, 0.9]]), ()) == ("column 0", "7")
