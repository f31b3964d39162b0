"""Interception of connections to IBM's hosts, which a WSGI app answers: the door, its guard, request log and faults."""

from __future__ import annotations

from pytest_wml.interception.door import (
    IBMS_CLIENT,
    Door,
    NotThroughTheDoor,
    direct_connections,
    fails_closed,
    open_door,
)

__all__ = ["IBMS_CLIENT", "Door", "NotThroughTheDoor", "direct_connections", "fails_closed", "open_door"]
