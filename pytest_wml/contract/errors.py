"""Error for a check that cannot be performed."""

from __future__ import annotations

from pytest_wml.errors import WMLTestError


class BadContract(WMLTestError):
    """A check cannot be performed: its input is invalid, or the model lacks what the check needs."""
