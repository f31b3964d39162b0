"""A recording: its interactions and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.normalise import Interaction, Origin
from pytest_wml.replay.cassette.tape import ArchiveContent


class BadCassette(WMLTestError):
    """A cassette file cannot be used as it is."""


@dataclass(frozen=True)
class Cassette:
    """The recording of one deployment, or of one test's or fixture's own requests.

    Args:
        name: the file's name without `.yaml`.
        metadata: JSON values: recorded_from, recorded_at, model (digests, signature) and more.
        interactions: in the order of the file.
    """

    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()

    @property
    def model(self) -> ArchiveContent | None:
        """The model that was recorded; None where the recording names none."""
        facts = self.metadata.get("model")
        if not isinstance(facts, dict):
            return None
        return ArchiveContent(
            archive=str(facts.get("archive")),
            model=str(facts.get("digest")),
            basis=str(facts.get("basis")),
            size=0,
            signature=str(facts.get("signature", "")),
        )

    def origin(self, interaction: Interaction) -> Origin:
        """When and from where one of the interactions was recorded."""
        own = interaction.origin or Origin()
        return Origin(*(mine or str(self.metadata.get(name) or "") for name, mine in own._asdict().items()))

    @cached_property
    def origins(self) -> list[Origin]:
        """When and from where the interactions were recorded, each once."""
        return sorted({self.origin(one) for one in self.interactions}) or [self.origin_of_all]

    @property
    def origin_of_all(self) -> Origin:
        """What is true of each interaction that says nothing else."""
        return Origin(*(str(self.metadata.get(name) or "") for name in Origin._fields))

    @property
    def oldest(self) -> str:
        """Date of the oldest interaction."""
        return str(self.metadata.get("oldest") or min(origin.recorded_at for origin in self.origins))

    @property
    def newest(self) -> str:
        """Date of the newest interaction."""
        return max(origin.recorded_at for origin in self.origins)

    @property
    def recorded_from(self) -> str:
        """Where the interactions come from: `live`, `embedded`, or both."""
        return ", ".join(sorted({origin.recorded_from for origin in self.origins} - {""}))

    @property
    def clients(self) -> set[str]:
        """The versions of IBM's client that asked."""
        return {origin.client for origin in self.origins} - {""}
