"""Suites whose report is looked at."""

from __future__ import annotations

# The sample network, promised more than it keeps.
DIGITS = """
    import numpy as np
    import pytest

    def noisy(images):
        steps = np.random.RandomState(1).randint(-64, 65, size=images.shape) / 64
        return np.clip(images + 0.55 * steps, 0, 1).astype(images.dtype)

    def test_the_first_digits(wml_contract, wml_digits):
        wml_contract.classes(wml_digits.images[:12], wml_digits.labels[:12])

    def test_noisy_digits(wml_contract, wml_digits):
        wml_contract.accuracy(noisy(wml_digits.images), wml_digits.labels, floor=0.98)

    def test_shifted_digits(wml_contract, wml_digits):
        wml_contract.invariance(wml_digits.images[:100], at_least=0.97)

    def test_probabilities(wml_contract, wml_digits):
        wml_contract.probabilities(wml_digits.images[:50])

    def test_signature(wml_contract):
        wml_contract.signature(inputs={"image": ("float32", [None, 784])})

    def test_latency(wml_contract, wml_digits):
        wml_contract.latency(wml_digits.images[:4], requests=60, concurrency=[1, 4], budget={"p95": 30})

    def test_refusals(wml_contract):
        wml_contract.errors()

    @pytest.mark.xfail(reason="the model was never shown negatives")
    def test_negatives(wml_contract, wml_digits):
        wml_contract.classes(1 - wml_digits.images[:4], wml_digits.labels[:4])
"""
