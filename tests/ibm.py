"""IBM's clients, as far as they are installed: the older one stops at Python 3.12.

Importing this module loads one of them. Tests that run pytest inside pytest need that: pytester takes out of
`sys.modules` what an inner run was the first to import, and numpy, which both clients load, cannot be imported twice.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

OLDER, NEWER = "ibm_watson_machine_learning", "ibm_watsonx_ai"
PACKAGES = [name for name in (OLDER, NEWER) if importlib.util.find_spec(name)]
"""Those that are installed, the one that the fixtures prefer first."""

needs_older = pytest.mark.skipif(OLDER not in PACKAGES, reason="ibm-watson-machine-learning is not installed")

importlib.import_module(PACKAGES[0])


def client(url: str, apikey: str) -> Any:
    """A client of IBM Cloud, of the package that the fixtures prefer."""
    package = importlib.import_module(PACKAGES[0])
    if PACKAGES[0] == OLDER:
        return package.APIClient({"url": url, "apikey": apikey})
    return package.APIClient(package.Credentials(url=url, api_key=apikey))
