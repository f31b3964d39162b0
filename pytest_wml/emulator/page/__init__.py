"""The page at `/`: what the service holds, and a place to draw a digit and score it."""

from __future__ import annotations

from pytest_wml.emulator.page.site import Page

__all__ = ["Page"]
