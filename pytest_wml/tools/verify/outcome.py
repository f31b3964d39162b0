"""Results of a verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.tools.verify.differences import Difference
from pytest_wml.tools.verify.rules import DifferenceLevel


class RequestOutcome(NamedTuple):
    """Result for one request.

    Args:
        number: position in the recording, from 0.
        request: the request as text, with the recorded ids.
        route: route of the request.
        accepted: whether the recorded answer is a success.
        differences: differences between the answers; empty if they agree.
        left_out: reason why the request was not sent; empty if it was sent.
    """

    number: int
    request: str
    route: str
    accepted: bool = True
    differences: tuple[Difference, ...] = ()
    left_out: str = ""


@dataclass
class Verification:
    """Result for one recording.

    Args:
        cassette: the recording.
        outcomes: results of the requests, in the order of sending.
        other_kind: whether the recorded and the verified service differ in kind: IBM Cloud, Cloud Pak for Data.
        notes: further remarks.
        left_behind: created resources that could not be deleted.
    """

    cassette: Cassette
    outcomes: list[RequestOutcome] = field(default_factory=list)
    other_kind: bool = False
    notes: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def compared(self) -> list[RequestOutcome]:
        """The requests whose answers were compared."""
        return [outcome for outcome in self.outcomes if not outcome.left_out]

    def count(self, level: DifferenceLevel) -> int:
        """Number of differences of a level."""
        return sum(each.level is level for outcome in self.outcomes for each in outcome.differences)


def agreed(verifications: list[Verification]) -> list[str]:
    """The routes whose answers all agree and include a success; sorted."""
    compared = [outcome for each in verifications for outcome in each.compared]
    accepted = {outcome.route for outcome in compared if outcome.accepted}
    differing = {
        outcome.route for outcome in compared if any(each.level > DifferenceLevel.INFO for each in outcome.differences)
    }
    return sorted(accepted - differing)
