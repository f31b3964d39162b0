"""A suite that replays the sample's recording, one of whose contracts is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import chromium  # noqa: F401 a fixture
from tests.ibm import OLDER, PACKAGES

CASSETTES = Path(__file__).parents[3] / "cassettes"
SUITE = """
    import numpy as np
    import pytest

    def test_classes(wml_contract, wml_digits):
        images = np.stack([wml_digits[label] for label in range(10)])
        wml_contract.classes(images, range(10))

    def test_wrong_labels(wml_contract, wml_digits):
        images = np.stack([wml_digits[label] for label in range(10)])
        wml_contract.classes(images, [0, 1, 2, 3, 4, 5, 6, 7, 9, "<b>nine</b>"])

    def test_without_wml():
        pass
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """The suite in pytester's folder, away from GitHub."""
    if OLDER not in PACKAGES:
        pytest.skip("the sample's cassettes are recordings of ibm-watson-machine-learning")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    pytester.makepyfile(test_digits=SUITE)
    pytester.makeini(f"[pytest]\nwml_cassettes = {CASSETTES}\n")
    return pytester
