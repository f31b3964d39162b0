"""HTTP/1.1 on a connected socket, handed to a WSGI app."""

from __future__ import annotations

from pytest_wml.interception.wire.conversation import Conversation
from pytest_wml.interception.wire.incoming import Limits

__all__ = ["Conversation", "Limits"]
