"""What became of a recording's requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.tools.verify.differences import Difference
from pytest_wml.tools.verify.rules import Level


class Outcome(NamedTuple):
    """What became of one request.

    Args:
        number: its place in the recording, from 0.
        request: as text, with the recorded ids.
        route: that answers it.
        accepted: whether it was recorded with success, not with a refusal.
        differences: between the answers; empty where they agree.
        left_out: why it was not sent; empty where it was.
    """

    number: int
    request: str
    route: str
    accepted: bool = True
    differences: tuple[Difference, ...] = ()
    left_out: str = ""


@dataclass
class Verification:
    """What became of one recording.

    Args:
        cassette: the recording.
        outcomes: in the order in which it was asked.
        other_kind: whether it was recorded as IBM Cloud and is asked as a Cloud Pak for Data, or the other way round.
        notes: what a reader should know besides.
        left_behind: what was made and could not be deleted.
    """

    cassette: Cassette
    outcomes: list[Outcome] = field(default_factory=list)
    other_kind: bool = False
    notes: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def compared(self) -> list[Outcome]:
        """The requests whose answers were compared."""
        return [outcome for outcome in self.outcomes if not outcome.left_out]

    def count(self, level: Level) -> int:
        """How many differences of this level there are."""
        return sum(each.level is level for outcome in self.outcomes for each in outcome.differences)


def agreed(verifications: list[Verification]) -> list[str]:
    """The routes all of whose answers agreed, at least one of them no refusal; sorted."""
    compared = [outcome for each in verifications for outcome in each.compared]
    accepted = {outcome.route for outcome in compared if outcome.accepted}
    differing = {outcome.route for outcome in compared if any(each.level > Level.INFO for each in outcome.differences)}
    return sorted(accepted - differing)
