"""Points in time, as the service writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """A point in time as the service writes it, such as `2024-03-06T14:00:08.441Z`.

    Args:
        seconds: since the epoch, UTC.
    """
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
