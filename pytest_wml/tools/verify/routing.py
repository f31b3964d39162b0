"""What a request is about: its route as FIDELITY.md writes it."""

from __future__ import annotations

from pytest_wml.emulator.routes import called
from pytest_wml.replay.cassette.normalise import UUID, Interaction


def route_of(asked: Interaction) -> str:
    """The method and path that a request is answered by; its own, without ids, where the embedded service has none."""
    return called(asked.method, asked.path) or f"{asked.method} {UUID.sub('{id}', asked.path)}"
