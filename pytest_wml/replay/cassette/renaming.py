"""Replaces values in JSON values and texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.tape import ArchiveContent, Body

_LONG = 8
"""Characters from which a text is looked for inside other texts too."""
_NOTHING = object()


def key(value: Any) -> str:
    """A value as JSON text: `1` and `"1"` are two values."""
    return json.dumps(value)


class Renaming:
    """Replaces values by others.

    Args:
        values: the value to replace, as `key` gives it → the new value.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        texts = {json.loads(old): new for old, new in values.items() if isinstance(new, str)}
        self._inside = {old: new for old, new in texts.items() if isinstance(old, str) and len(old) >= _LONG}
        longest_first = sorted(self._inside, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if self._inside else None
        self._cores = [_core(old) for old in values]

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, text: str) -> str:
        """A text with its values replaced: the whole text, or parts that are long enough to be recognised."""
        whole = self._values.get(key(text), _NOTHING)
        if isinstance(whole, str):
            return whole
        return self._pattern.sub(lambda found: self._inside[found[0]], text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON value with its values replaced; the names of members stay."""
        if isinstance(value, dict):
            return {name: self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(member) for member in value]
        if value is None or isinstance(value, bool):
            return value
        whole = self._values.get(key(value), _NOTHING)
        if whole is not _NOTHING:
            return whole
        return self.text(value) if isinstance(value, str) else value

    def body(self, body: Body) -> Body:
        """A JSON body with its values replaced; any other body as it is."""
        if isinstance(body, ArchiveContent) or not self.may_change(body):
            return body
        value = parsed(body)
        try:
            changed = self.value(value)
        except RecursionError:
            return body
        return body if changed == value else json.dumps(changed, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def may_change(self, body: bytes) -> bool:
        """Whether a body may hold any of the values, however its text is escaped: a fast test, mostly negative."""
        return any(core in body for core in self._cores)


def _core(old: str) -> bytes:
    """The longest part of a JSON text that no escape changes."""
    return max(re.findall(r"[\w .:,+-]+", old.strip('"'), re.ASCII), key=len, default="").encode()
