"""How much a difference matters: a table, read from the top; the first line that fits decides."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pytest_wml.replay.cassette.normalise import UUID


class Level(enum.IntEnum):
    """How much a difference matters."""

    INFO = 0
    WARN = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


class Kind(enum.Enum):
    """What a difference is."""

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


class Found(NamedTuple):
    """Two values that are not the same.

    Args:
        path: where in the answer, such as `entity.status.state`; places of lists are numbers.
        known: ids of the recording that are known by another id at the other side.
        other_kind: whether one answer is IBM Cloud's and the other a Cloud Pak for Data's.
    """

    path: str
    kind: Kind
    recorded: Any
    now: Any
    known: frozenset[str] = frozenset()
    other_kind: bool = False


TRANSIENT = frozenset(
    {"creating", "deploy_in_progress", "deploying", "initializing", "pending", "preparing", "queued", "running"}
    | {"starting", "updating"}
)
"""States that pass; how often they are seen depends on who asks when."""
_STATES = TRANSIENT | {"active", "canceled", "completed", "failed", "ready", "error"}


def is_transient(state: object) -> bool:
    """Whether a state passes by itself."""
    return isinstance(state, str) and state.lower() in TRANSIENT


def _passing(found: Found) -> bool:
    """A state on its way, and one that it may lead to."""
    return is_transient(found.recorded) and str(found.now).lower() not in ("failed", "error")


def _unheard_of(found: Found) -> bool:
    return str(found.now).lower() not in _STATES


def _strangers(found: Found) -> bool:
    """Two ids of things that the recording did not make, or know."""
    both = (found.recorded, found.now)
    return all(isinstance(each, str) and UUID.fullmatch(each) for each in both) and found.recorded not in found.known


def _other_host(found: Found) -> bool:
    """Two URLs that only name different hosts."""
    both = (found.recorded, found.now)
    if not all(isinstance(each, str) and each.startswith("https://") for each in both):
        return False
    ours, theirs = map(urlsplit, both)
    return (ours.path, ours.query) == (theirs.path, theirs.query)


def _not_ours(found: Found) -> bool:
    """An element of a list that the recording did not make: strangers' things come and go."""
    return isinstance(found.recorded, dict) and not _named(found.recorded) & found.known


def _other_kind(found: Found) -> bool:
    return found.other_kind


def _named(element: dict[str, Any]) -> set[str]:
    metadata = element.get("metadata")
    places = (element, metadata if isinstance(metadata, dict) else {})
    return {str(place[name]) for place in places for name in ("id", "guid", "asset_id") if name in place}


class Rule(NamedTuple):
    """One line of the table.

    Args:
        path: a regular expression for the whole path.
        kinds: of differences; empty for all.
        when: what must hold besides.
    """

    level: Level
    path: str
    kinds: tuple[Kind, ...] = ()
    when: Callable[[Found], bool] | None = None

    def fits(self, found: Found) -> bool:
        """Whether this line is about such a difference."""
        return (
            (not self.kinds or found.kind in self.kinds)
            and re.fullmatch(self.path, found.path, re.DOTALL) is not None
            and (self.when is None or self.when(found))
        )


_ANY = r".*"
_BUT_GONE = (Kind.VALUE, Kind.NUMBER, Kind.FORM, Kind.TYPE, Kind.ADDED, Kind.LENGTH)
_DATA = r"predictions(\..*)?"
RULES = (
    # What the model says: nothing of it may differ, but for whole numbers that are written as floats.
    Rule(Level.WARN, _DATA, (Kind.FORM,)),
    Rule(Level.INFO, _DATA, (Kind.ADDED,)),
    Rule(Level.ERROR, _DATA),
    # The state of what is made passes by itself.
    Rule(Level.INFO, _ANY, (Kind.STATE,), _passing),
    Rule(Level.WARN, _ANY, (Kind.STATE,), _unheard_of),
    # Dates, traces, versions, ids and hosts are the service's own.
    Rule(Level.INFO, r"(.*\.)?(trace|version|etag|.*_at)", (Kind.VALUE, Kind.NUMBER)),
    Rule(Level.INFO, _ANY, (Kind.VALUE,), _strangers),
    Rule(Level.INFO, _ANY, (Kind.VALUE,), _other_host),
    # Lists that hold strangers' things, and how long they are.
    Rule(Level.INFO, r"resources\.\d+", (Kind.GONE,), _not_ours),
    Rule(Level.INFO, r"resources(\.\d+)?", (Kind.ADDED, Kind.ORDER, Kind.LENGTH)),
    Rule(Level.INFO, r"(next|last|previous)(\..*)?"),
    Rule(Level.INFO, r"limit|total_(count|results)|first\.href", (Kind.VALUE, Kind.NUMBER)),
    # Whose account it is, what it pays for and what of it is used.
    Rule(Level.INFO, r"(resources\.\d+\.)?entity\.(account|plan|consumption|scope|compute|crn)(\..*)?", _BUT_GONE),
    # Members that only IBM Cloud has.
    Rule(Level.INFO, r"(.*\.)?(resource_key|hybrid_pipeline_software_specs)", (Kind.GONE,), _other_kind),
    # Words for people.
    Rule(
        Level.WARN,
        r"(.*\.)?(message|text|description|display_name|more_info|reason|level|target)(\..*)?",
        (Kind.VALUE,),
    ),
    Rule(Level.WARN, r"(.*\.)?(warnings|errors)", (Kind.ADDED,)),
    Rule(Level.WARN, r"(.*\.)?warnings", (Kind.LENGTH,)),
    Rule(Level.WARN, _ANY, (Kind.CONTENT_TYPE, Kind.FORM)),
    Rule(Level.INFO, _ANY, (Kind.ADDED, Kind.ORDER)),
    Rule(Level.ERROR, _ANY),
)


def level_of(found: Found) -> Level:
    """How much a difference matters."""
    return next(rule.level for rule in RULES if rule.fits(found))
