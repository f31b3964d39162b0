"""The data folder of a service: its database and the uploaded files. Imported only where there is one."""

from __future__ import annotations

from pytest_wml.emulator.storage.folder import lasting, unusable

__all__ = ["lasting", "unusable"]
