"""What the sample model promises, wherever it answers: copy these tests for a model of your own.

`pytest tests/contract` replays, without network, credentials and TensorFlow; `--wml=embedded` scores here;
`--wml-live` asks the service.
"""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def five_and_four(wml_digits):
    """Two images that people read as a five and a four: float32 [2, 784]."""
    return np.stack([wml_digits[5], wml_digits[4]])


@pytest.fixture(scope="session")
def one_of_each(wml_digits):
    """An image of each digit, in their order: float32 [10, 784]."""
    return np.stack([wml_digits[label] for label in range(10)])


def test_a_five_and_a_four_are_recognised(wml_deployment, five_and_four):
    """The deployment sees what people see."""
    assert wml_deployment.predict(five_and_four).classes.tolist() == [5, 4]


def test_every_digit_is_recognised(wml_contract, one_of_each):
    """One image of each digit, in one request."""
    wml_contract.classes(one_of_each, range(10))


def test_the_probabilities_of_each_image_sum_to_one(wml_contract, one_of_each):
    """Ten probabilities an image, which are probabilities."""
    assert wml_contract.probabilities(one_of_each).measured["classes"] == 10


def test_the_signature_is_what_clients_were_built_for(wml_contract):
    """Names, types and shapes of input and outputs, in the archive and in an answer."""
    wml_contract.signature(
        inputs={"image": ("float32", [None, 784])},
        outputs={"classes": ("int64", [None]), "probabilities": ("float32", [None, 10])},
    )


def test_the_served_model_is_the_packaged_one(wml_contract, five_and_four):
    """The service answers what TensorFlow answers here, for the same archive."""
    wml_contract.parity(five_and_four, atol=1e-4 if wml_contract.deployment.mode == "live" else 1e-5)


def test_an_image_is_answered_for_itself(wml_contract, five_and_four):
    """Alone, in a batch and in another order."""
    wml_contract.batch_consistency(five_and_four)


def test_asking_again_changes_nothing(wml_contract, five_and_four):
    """Dropout is off."""
    wml_contract.repeatability(five_and_four)


def test_hardly_seen_changes_change_no_class(wml_contract, five_and_four):
    """A shift by a pixel, noise, brighter, darker."""
    wml_contract.invariance(five_and_four)


def test_a_five_that_fades_is_less_of_a_five(wml_contract, wml_digits):
    """The probability of a class follows its image."""
    wml_contract.directional(wml_digits[5], lambda images: images * np.float32(0.25), label=5, change="lowers")


@pytest.mark.wml(cassette="mnist_cnn_refusals")
def test_what_must_be_refused_is_refused(wml_contract):
    """Wrong input, an unknown deployment, a bad token: status and code."""
    wml_contract.errors()


def test_any_language_can_call_it(wml_contract, five_and_four):
    """The scoring URL, JSON and a bearer token are enough."""
    wml_contract.rest(five_and_four)


def test_answers_come_in_time(wml_contract, five_and_four):
    """A budget that only a broken deployment exceeds; on a replay it is only reported."""
    wml_contract.latency(five_and_four, requests=8, concurrency=[1, 4], budget={"p95": 30})


def test_it_is_right_often_enough(wml_contract, one_of_each):
    """Nine of ten clear digits; `measured` holds the interval and the confusion matrix."""
    wml_contract.accuracy(one_of_each, range(10), floor=0.9)


def test_it_answers_as_it_did_when_it_was_accepted(wml_contract, one_of_each):
    """No class has flipped since the reference was recorded."""
    wml_contract.drift(one_of_each)
