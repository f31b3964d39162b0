"""Arrays to WML's payloads and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pytest_wml.client.scoring import payload, prediction
from pytest_wml.errors import BadPayload
from pytest_wml.model.signature import Signature, TensorSpec

FLAT = Signature("serving_default", (TensorSpec("image", "float32", (None, 784)),), ())
IMAGES = Signature("serving_default", (TensorSpec("image", "float32", (None, 28, 28, 1)),), ())
TWO = Signature("s", (TensorSpec("a", "float32", (None, 2)), TensorSpec("b", "int64", (None,))), ())


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=4), elements=st.floats(0, 1, width=32)))
def test_numbers_survive_the_round_trip(array):
    """float32 sent as JSON numbers comes back as the same float32."""
    sent, note = payload(array, None)
    back = prediction({"predictions": [{"id": "x", "values": sent["input_data"][0]["values"]}]})
    np.testing.assert_array_equal(back.outputs["x"].astype(np.float32), array)
    assert note == ""


@pytest.mark.parametrize(
    ("shape", "signature", "sent_shape", "note"),
    [
        ((2, 784), FLAT, (2, 784), ""),
        ((2, 28, 28), FLAT, (2, 784), "rows of [28, 28] were reshaped to [784]"),
        ((2, 784), IMAGES, (2, 28, 28, 1), "rows of [784] were reshaped to [28, 28, 1]"),
        ((784,), FLAT, (1, 784), "a batch axis was added"),
        ((28, 28), FLAT, (1, 784), "one row was reshaped to [784]"),
        ((0, 784), FLAT, (0,), ""),
    ],
)
def test_images_are_laid_out_as_the_signature_asks(shape, signature, sent_shape, note):
    """Only the layout of a row is changed, and the change is told."""
    sent, told = payload(np.zeros(shape), signature)
    assert np.shape(sent["input_data"][0]["values"]) == sent_shape
    assert told == note


@pytest.mark.parametrize("shape", [(2, 28, 14, 3), (1, 3, 28)])
def test_axes_are_never_exchanged(shape):
    """[28, 14, 3] would fill [3, 14, 28] number by number, and scramble every image."""
    wanted = Signature("s", (TensorSpec("image", "float32", (None, 3, 14, 28)),), ())
    with pytest.raises(BadPayload):
        payload(np.zeros(shape), wanted)


@pytest.mark.parametrize("shape", [(2, 783), (3, 28, 27), (5,), ()])
def test_what_does_not_fit_is_refused_with_both_shapes(shape):
    """Nothing is padded, cut or guessed."""
    with pytest.raises(BadPayload, match=r"given: shape .*\n.*wanted: shape \[None, 784\]"):
        payload(np.zeros(shape), FLAT)


def test_several_inputs_are_named():
    """A mapping gives each tensor its id; one bare array does not say which is meant."""
    sent, _ = payload({"a": [[1.0, 2.0]], "b": [3]}, TWO)
    assert sent == {"input_data": [{"id": "a", "values": [[1.0, 2.0]]}, {"id": "b", "values": [3]}]}
    with pytest.raises(BadPayload, match="2 inputs"):
        payload([[1.0, 2.0]], TWO)
    with pytest.raises(BadPayload, match="names of the inputs differ from the signature"):
        payload({"a": [[1.0, 2.0]]}, TWO)


def test_a_savedmodels_answer():
    """One element an output, by its id."""
    answer = prediction(
        {"predictions": [{"id": "classes", "values": [5]}, {"id": "probabilities", "values": [[0.1, 0.9]]}]}
    )
    assert answer.classes.tolist() == [5]
    assert answer.probabilities.tolist() == [[0.1, 0.9]]


def test_a_keras_models_answer():
    """The fields form, where prediction and probability are the raw output."""
    fields = ["prediction", "prediction_classes", "probability"]
    raw = {"predictions": [{"id": "dense_2", "fields": fields, "values": [[[0.2, 0.8], 1, [0.2, 0.8]]]}]}
    answer = prediction(raw)
    assert answer.classes.tolist() == [1]
    assert answer.probabilities.tolist() == [[0.2, 0.8]]


def test_a_scikit_learn_answer_has_string_classes():
    """Labels stay what they are."""
    raw = {"predictions": [{"fields": ["prediction", "probability"], "values": [["No Risk", [0.6, 0.4]]]}]}
    assert prediction(raw).classes.tolist() == ["No Risk"]


def test_probabilities_alone_give_classes():
    """A single output with a row of numbers each: the class is the largest."""
    assert prediction({"predictions": [{"id": "output_0", "values": [[0.1, 0.9], [0.8, 0.2]]}]}).classes.tolist() == [
        1,
        0,
    ]


@pytest.mark.parametrize("raw", [{}, None, {"predictions": 5}, {"predictions": [{}]}, {"predictions": [[1]]}])
def test_what_is_no_answer_is_said_to_be_none(raw):
    """An answer of another form is an error of ours, not a KeyError."""
    with pytest.raises(BadPayload, match="does not have WML's format"):
        prediction(raw)


def test_rows_of_different_lengths_stay_lists():
    """JSON carries them, and no array of numbers does."""
    outputs = prediction({"predictions": [{"id": "tokens", "values": [[1, 2], [3]]}]}).outputs
    assert outputs["tokens"].tolist() == [[1, 2], [3]]


def test_no_output_of_a_keras_model_is_lost():
    """Each has the same fields: those of the last keep their plain names."""
    one, two = ({"id": name, "fields": ["prediction"], "values": [[value]]} for name, value in (("a", 1.5), ("b", 2.5)))
    outputs = prediction({"predictions": [one, two]}).outputs
    assert {name: array.tolist() for name, array in outputs.items()} == {"prediction": [2.5], "a.prediction": [1.5]}
