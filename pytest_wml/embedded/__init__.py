"""The embedded WML: a WSGI app that IBM's own clients accept and that really scores."""

from __future__ import annotations

from pytest_wml.embedded.app import EmbeddedWML
from pytest_wml.spaces import DEFAULT_SPACE_ID

__all__ = ["DEFAULT_SPACE_ID", "EmbeddedWML"]
