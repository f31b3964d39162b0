"""The deployment space that every run has."""

from __future__ import annotations

DEFAULT_SPACE_ID = "5ace0000-0000-4000-8000-000000000000"
"""Fixed, so that recordings made in different runs name the same space."""
