"""Records as JSON and back; what is read becomes a record of the kind that is asked for, plain JSON or nothing."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from typing import Any, TypeVar, get_args

from pytest_wml.emulator.contents import StoredContent
from pytest_wml.emulator.served_asset import ServedAsset
from pytest_wml.emulator.state import deployments, jobs
from pytest_wml.emulator.state.deployments import DeploymentDraft, DeploymentRecord
from pytest_wml.emulator.state.jobs import JobDraft, JobRecord
from pytest_wml.emulator.state.models import ModelDraft, ModelRecord
from pytest_wml.wml.hardware_specs import HardwareSpec
from pytest_wml.wml.software_specs import SoftwareSpec

T = TypeVar("T")

_PARTS: dict[type, dict[str, type]] = {
    ModelRecord: {"draft": ModelDraft, "content": StoredContent},
    ModelDraft: {"software_spec": SoftwareSpec},
    DeploymentRecord: {"draft": DeploymentDraft, "served": ServedAsset},
    DeploymentDraft: {"hardware_spec": HardwareSpec},
    ServedAsset: {"content": StoredContent, "software_spec": SoftwareSpec},
    JobRecord: {"draft": JobDraft},
}
"""Fields that hold a record of their own; every other field is plain JSON, or a tuple of it."""
_TUPLES = {"tags", "types", "schema", "revisions"}
_STATES: dict[type, tuple[str, ...]] = {DeploymentRecord: get_args(deployments.State), JobRecord: get_args(jobs.State)}
_FORMER: dict[type, set[str]] = {SoftwareSpec: {"lifecycle", "replacement"}}
"""Fields that data folders of earlier versions have; they are not read any more."""


class NotARecord(ValueError):
    """The text is not a record of the kind; the message does not quote it."""


def encoded(record: Any) -> str:
    """A record as JSON, in ASCII; NaN and Infinity are written bare, as Python's JSON reads them back.

    Raises:
        TypeError: it holds something that is neither JSON nor a dataclass.
    """
    return json.dumps(record, default=_members, separators=(",", ":"))


def _members(value: Any) -> dict[str, Any]:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} cannot be kept")
    return vars(value)


def decoded(kind: type[T], text: str) -> T:
    """The record that was encoded. Fields that have a default may be absent; no other field may be added.

    Raises:
        NotARecord: the text is not a record of this kind.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise NotARecord("is not JSON") from problem
    return _record(kind, document)


def _record(kind: type[T], members: Any) -> T:
    if not isinstance(members, dict):
        raise NotARecord(f"{kind.__name__} is not an object")
    members = {name: value for name, value in members.items() if name not in _FORMER.get(kind, ())}
    for name, part in _PARTS.get(kind, {}).items():
        # Only what was uploaded may be missing.
        if name in members and not (part is StoredContent and members[name] is None):
            members[name] = _record(part, members[name])
    if kind is ModelRecord:
        members["revisions"] = [_record(ModelRecord, each) for each in members.get("revisions", ())]
    if kind in _STATES and members.get("state", "") not in ("", *_STATES[kind]):
        raise NotARecord(f"state: is none of {', '.join(_STATES[kind])}")
    try:
        tuples = {name: tuple(members[name]) for name in _TUPLES if members.get(name) is not None}
        return kind(**{**members, **tuples})
    except TypeError as problem:
        raise NotARecord(f"{kind.__name__} has other fields") from problem
