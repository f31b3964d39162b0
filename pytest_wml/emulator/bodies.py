"""JSON bodies: members read with their type checked, times as the service writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pytest_wml.emulator.refusals import NotServed, UnprocessableEntity

Body = Mapping[str, Any]
T = TypeVar("T")


def text(body: Body, name: str) -> str | None:
    """The text under this name; None where it is absent or null.

    Raises:
        UnprocessableEntity: the member is no text.
    """
    return _member(body, name, str, "a string")


def required_text(body: Body, name: str) -> str:
    """The text under this name.

    Raises:
        UnprocessableEntity: the member is absent, blank or no text.
    """
    found = text(body, name)
    if found is None or not found.strip():
        raise UnprocessableEntity(f"Field '{name}' is required.")
    return found


def mapping(body: Body, name: str) -> dict[str, Any] | None:
    """The object under this name; None where it is absent or null.

    Raises:
        UnprocessableEntity: the member is no object.
    """
    return _member(body, name, dict, "an object")


def listing(body: Body, name: str) -> list[Any] | None:
    """The list under this name; None where it is absent or null.

    Raises:
        UnprocessableEntity: the member is no list.
    """
    return _member(body, name, list, "a list")


def refuse_members(body: Body, unserved: Mapping[str, str]) -> None:
    """Pass when a body has none of the members that only IBM's service acts on.

    Args:
        unserved: what each such member asks for, by its name.

    Raises:
        NotServed: one is there, and is not empty.
    """
    for name, what in unserved.items():
        if body.get(name):
            raise NotServed(f"{what} ('{name}')")


def _member(body: Body, name: str, kind: type[T], called: str) -> T | None:
    found = body.get(name)
    if found is None or isinstance(found, kind):
        return found
    raise UnprocessableEntity(f"Field '{name}' must be {called}.")


def rfc3339(seconds: float) -> str:
    """A point in time as the service writes it, such as `2024-03-06T14:00:08.441Z`.

    Args:
        seconds: since the epoch, UTC.
    """
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
