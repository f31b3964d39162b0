"""The sample's recording is one of IBM's older client: the newer one asks for other things."""

from __future__ import annotations

import pytest

from tests.ibm import OLDER, PACKAGES


@pytest.fixture(scope="session", autouse=True)
def _recorded_with_this_client(request):
    if OLDER not in PACKAGES and request.config.getoption("--wml") in (None, "replay"):
        pytest.skip("the recording is one of ibm-watson-machine-learning")
