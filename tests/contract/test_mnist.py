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


def test_a_five_and_a_four_are_recognised(wml_deployment, five_and_four):
    """The deployment sees what people see."""
    assert wml_deployment.predict(five_and_four).classes.tolist() == [5, 4]


def test_the_probabilities_of_each_image_sum_to_one(wml_deployment, five_and_four):
    """Ten probabilities an image, which are probabilities."""
    probabilities = wml_deployment.predict(five_and_four).probabilities
    assert probabilities.shape == (2, 10)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_every_digit_is_recognised(wml_deployment, wml_digits):
    """One image of each digit, in one request."""
    images = np.stack([wml_digits[label] for label in range(10)])
    assert wml_deployment.predict(images).classes.tolist() == list(range(10))


@pytest.mark.wml(not_in_replay=True)
def test_the_served_model_is_the_packaged_one(wml_deployment, wml_model_archive, five_and_four):
    """The service answers what TensorFlow answers here, for the same archive."""
    from pytest_wml.model.local import LocalModel

    with LocalModel(wml_model_archive.path) as local:
        expected = local.predict(five_and_four)["probabilities"]
    served = wml_deployment.predict(five_and_four).probabilities
    tolerance = 1e-4 if wml_deployment.mode == "live" else 1e-5
    np.testing.assert_allclose(served, expected, atol=tolerance)
