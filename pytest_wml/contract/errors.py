"""The error of a check that cannot be made."""

from __future__ import annotations

from pytest_wml.errors import WMLTestError


class BadContract(WMLTestError):
    """A check was asked for what cannot be checked: wrong input, or a model without what the check needs."""
