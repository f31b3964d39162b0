"""Rates differences by a table of rules; the first matching rule applies."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pytest_wml.replay.cassette.normalise import UUID


class DifferenceLevel(enum.IntEnum):
    """Severity of a difference."""

    INFO = 0
    WARN = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


class DifferenceKind(enum.Enum):
    """Kind of a difference."""

    STATUS = "status"
    CONTENT_TYPE = "content type"
    GONE = "gone"
    ADDED = "added"
    TYPE = "type"
    VALUE = "value"
    NUMBER = "number"
    FORM = "form of the number"
    ORDER = "order"
    LENGTH = "length"
    STATE = "state"


class Mismatch(NamedTuple):
    """Two different values.

    Args:
        path: location in the answer, such as `entity.status.state`; list positions are numbers.
        kind: kind of the difference.
        recorded: recorded value.
        now: present value.
        known: recorded ids that have a known id at the service.
        other_kind: whether one answer is from IBM Cloud and the other from Cloud Pak for Data.
    """

    path: str
    kind: DifferenceKind
    recorded: Any
    now: Any
    known: frozenset[str] = frozenset()
    other_kind: bool = False


TRANSIENT = frozenset(
    {"creating", "deploy_in_progress", "deploying", "initializing", "pending", "preparing", "queued", "running"}
    | {"starting", "updating"}
)
"""Transient states; how often they occur depends on the time of the requests."""
_STATES = TRANSIENT | {"active", "canceled", "completed", "failed", "ready", "error"}


def is_transient(state: object) -> bool:
    """Whether a state is transient."""
    return isinstance(state, str) and state.lower() in TRANSIENT


def _is_state_change(mismatch: Mismatch) -> bool:
    """A transient state was recorded, and the present state is a possible successor."""
    return is_transient(mismatch.recorded) and str(mismatch.now).lower() not in ("failed", "error")


def _is_unknown_state(mismatch: Mismatch) -> bool:
    return str(mismatch.now).lower() not in _STATES


def _are_foreign_ids(mismatch: Mismatch) -> bool:
    """Both values are ids of resources that the recording did not create."""
    both = (mismatch.recorded, mismatch.now)
    return (
        all(isinstance(each, str) and UUID.fullmatch(each) for each in both) and mismatch.recorded not in mismatch.known
    )


def _is_other_host(mismatch: Mismatch) -> bool:
    """Both values are URLs that differ in the host only."""
    both = (mismatch.recorded, mismatch.now)
    if not all(isinstance(each, str) and each.startswith("https://") for each in both):
        return False
    ours, theirs = map(urlsplit, both)
    return (ours.path, ours.query) == (theirs.path, theirs.query)


def _is_foreign_element(mismatch: Mismatch) -> bool:
    """The value is a list element that the recording did not create, but another user."""
    return isinstance(mismatch.recorded, dict) and not _ids_of(mismatch.recorded) & mismatch.known


def _is_other_kind(mismatch: Mismatch) -> bool:
    return mismatch.other_kind


def _ids_of(element: dict[str, Any]) -> set[str]:
    metadata = element.get("metadata")
    objects = (element, metadata if isinstance(metadata, dict) else {})
    return {str(each[name]) for each in objects for name in ("id", "guid", "asset_id") if name in each}


class Rule(NamedTuple):
    """One rule of the table.

    Args:
        level: severity of matching differences.
        path: regular expression for the whole path.
        kinds: kinds of differences; empty for all.
        when: further condition.
    """

    level: DifferenceLevel
    path: str
    kinds: tuple[DifferenceKind, ...] = ()
    when: Callable[[Mismatch], bool] | None = None

    def matches(self, mismatch: Mismatch) -> bool:
        """Whether the rule applies to a difference."""
        return (
            (not self.kinds or mismatch.kind in self.kinds)
            and re.fullmatch(self.path, mismatch.path, re.DOTALL) is not None
            and (self.when is None or self.when(mismatch))
        )


_ANY = r".*"
_BUT_GONE = (
    DifferenceKind.VALUE,
    DifferenceKind.NUMBER,
    DifferenceKind.FORM,
    DifferenceKind.TYPE,
    DifferenceKind.ADDED,
    DifferenceKind.LENGTH,
)
_DATA = r"predictions(\..*)?"
RULES = (
    # Predictions: no difference is accepted, except whole numbers that are written as floats.
    Rule(DifferenceLevel.WARN, _DATA, (DifferenceKind.FORM,)),
    Rule(DifferenceLevel.INFO, _DATA, (DifferenceKind.ADDED,)),
    Rule(DifferenceLevel.ERROR, _DATA),
    # States of resources change by themselves.
    Rule(DifferenceLevel.INFO, _ANY, (DifferenceKind.STATE,), _is_state_change),
    Rule(DifferenceLevel.WARN, _ANY, (DifferenceKind.STATE,), _is_unknown_state),
    # Dates, traces, versions, ids and hosts are specific to the service.
    Rule(DifferenceLevel.INFO, r"(.*\.)?(trace|version|etag|.*_at)", (DifferenceKind.VALUE, DifferenceKind.NUMBER)),
    Rule(DifferenceLevel.INFO, _ANY, (DifferenceKind.VALUE,), _are_foreign_ids),
    Rule(DifferenceLevel.INFO, _ANY, (DifferenceKind.VALUE,), _is_other_host),
    # Lists with resources of other users, and the lengths of lists.
    Rule(DifferenceLevel.INFO, r"resources\.\d+", (DifferenceKind.GONE,), _is_foreign_element),
    Rule(
        DifferenceLevel.INFO, r"resources(\.\d+)?", (DifferenceKind.ADDED, DifferenceKind.ORDER, DifferenceKind.LENGTH)
    ),
    Rule(DifferenceLevel.INFO, r"(next|last|previous)(\..*)?"),
    Rule(
        DifferenceLevel.INFO, r"limit|total_(count|results)|first\.href", (DifferenceKind.VALUE, DifferenceKind.NUMBER)
    ),
    # The account, its plan and its usage.
    Rule(
        DifferenceLevel.INFO,
        r"(resources\.\d+\.)?entity\.(account|plan|consumption|scope|compute|crn)(\..*)?",
        _BUT_GONE,
    ),
    # Members that only IBM Cloud has.
    Rule(
        DifferenceLevel.INFO,
        r"(.*\.)?(resource_key|hybrid_pipeline_software_specs)",
        (DifferenceKind.GONE,),
        _is_other_kind,
    ),
    # Texts for users.
    Rule(
        DifferenceLevel.WARN,
        r"(.*\.)?(message|text|description|display_name|more_info|reason|level|target)(\..*)?",
        (DifferenceKind.VALUE,),
    ),
    Rule(DifferenceLevel.WARN, r"(.*\.)?(warnings|errors)", (DifferenceKind.ADDED,)),
    Rule(DifferenceLevel.WARN, r"(.*\.)?warnings", (DifferenceKind.LENGTH,)),
    Rule(DifferenceLevel.WARN, _ANY, (DifferenceKind.CONTENT_TYPE, DifferenceKind.FORM)),
    Rule(DifferenceLevel.INFO, _ANY, (DifferenceKind.ADDED, DifferenceKind.ORDER)),
    Rule(DifferenceLevel.ERROR, _ANY),
)


def level_of(mismatch: Mismatch) -> DifferenceLevel:
    """Severity of a difference."""
    return next(rule.level for rule in RULES if rule.matches(mismatch))
