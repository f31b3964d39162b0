"""JSON Patch (RFC 6902), as far as the service takes it."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from pytest_wml.emulator.refusals import Invalid


def patched(
    members: Mapping[str, Any], operations: object, allowed: Collection[str]
) -> tuple[dict[str, Any], set[str]]:
    """Members after a patch, and the names of those that it touched.

    `add` of a member that is there replaces it, as the RFC has it: one client always adds.

    Args:
        members: what can be patched, as the caller sees it: a path `/name` is the member `name`.
        operations: the body of the request; `add`, `replace` and `remove`.
        allowed: names of the members that may be patched.

    Raises:
        Invalid: no list of operations, an unknown operation, or a path that cannot be patched.
    """
    if not isinstance(operations, list) or not operations:
        raise Invalid("invalid_json_patch", "The body must be a list of JSON Patch operations.")
    document = copy.deepcopy(dict(members))
    touched: set[str] = set()
    for operation in operations:
        touched.add(_applied(document, operation, allowed))
    return document, touched


def _applied(document: dict[str, Any], operation: object, allowed: Collection[str]) -> str:
    if not isinstance(operation, dict) or operation.get("op") not in ("add", "replace", "remove"):
        raise Invalid("invalid_json_patch", "An operation needs an 'op': add, replace or remove.")
    path = operation.get("path")
    names = path.split("/")[1:] if isinstance(path, str) else []
    if not names or names[0] not in allowed:
        raise Invalid("invalid_json_patch", f"Path {path!r} cannot be patched; these can: /{', /'.join(allowed)}.")
    *parents, last = (name.replace("~1", "/").replace("~0", "~") for name in names)
    place: Any = document
    for name in parents:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise Invalid("invalid_json_patch", f"Path {path!r} leads into what is no object.")
    if operation["op"] == "remove":
        place.pop(last, None)
    elif "value" in operation:
        place[last] = operation["value"]
    else:
        raise Invalid("invalid_json_patch", f"Operation '{operation['op']}' needs a value.")
    return names[0]
