"""Connections to IBM's hosts end in this process, at a WSGI app: the door, its guard, the request log, faults."""

from __future__ import annotations

from pytest_wml.interception.door import IBMS_CLIENT, Door, NotThroughTheDoor, fails_closed, open_door, passage

__all__ = ["IBMS_CLIENT", "Door", "NotThroughTheDoor", "fails_closed", "open_door", "passage"]
