"""What outlives a service: a folder with a database and what was uploaded. Imported only where there is one."""

from __future__ import annotations

from pytest_wml.emulator.keeping.folder import lasting, unusable

__all__ = ["lasting", "unusable"]
