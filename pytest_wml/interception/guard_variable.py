"""The environment variable that guards child processes."""

from __future__ import annotations

VARIABLE = "PYTEST_WML_GUARD"
"""Names the folder that children report to; known to `inherited/_pytest_wml_guard.py` too."""
