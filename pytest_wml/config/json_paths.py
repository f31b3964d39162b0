"""Parses JSON paths with members, items and wildcards."""

from __future__ import annotations

import re
from typing import NamedTuple

Place = tuple[str | int, ...]
"""Members and items from the root `$` of a value."""

_STEP = re.compile(
    r"""\.(?P<name>[^\s.,\[\]'"*$]+)|\.\*(?P<all>)|\[\*\](?P<items>)|\[(?P<item>\d+)\]|\[(?P<quote>['"])(?P<quoted>.+?)(?P=quote)\]"""
)
_EXPECTED = "JSON paths such as $.custom.build or $.input_data[*].values[*][3]"


class JsonPath(NamedTuple):
    """One JSON path.

    Args:
        text: the path as it was given.
        steps: the steps after the `$`; None for every member or item.
    """

    text: str
    steps: tuple[str | int | None, ...]

    def covers(self, place: Place) -> bool:
        """Whether the path matches a location, or a value that contains it."""
        steps = place[1:]
        # Messages write the number of an item like the name of a member: $.values.0.
        return len(steps) >= len(self.steps) and all(
            step is None or str(step) == str(part) for step, part in zip(self.steps, steps, strict=False)
        )


class JsonPaths(tuple[JsonPath, ...]):
    """The paths of an option; the text lists them as they were given."""

    def __str__(self) -> str:
        return ", ".join(path.text for path in self)

    def cover(self, place: Place) -> bool:
        """Whether any path matches a location, or a value that contains it."""
        return any(path.covers(place) for path in self)


def parsed(text: str) -> JsonPaths:
    """Read paths, one for each line or separated by commas; empty lines and `#` comments are ignored.

    Raises:
        ValueError: a path is invalid; the message names the path and the problem.
    """
    lines = [line.strip() for line in text.splitlines()]
    # A comma inside quotes is part of a name.
    words = [word for line in lines if not line.startswith("#") for word in re.split(r",\s*(?=\$)|\s+(?=\$)", line)]
    return JsonPaths(_path(word.strip().rstrip(",").strip()) for word in words if word.strip(" ,"))


def _path(text: str) -> JsonPath:
    if not text.startswith("$"):
        raise ValueError(f"{_EXPECTED}; {text!r} does not begin with $")
    steps: list[str | int | None] = []
    end = 1
    while end < len(text):
        found = _STEP.match(text, end)
        if found is None:
            raise ValueError(f"{_EXPECTED}; {text!r} is invalid from {text[end:]!r} on")
        steps.append(int(found["item"]) if found["item"] else found["name"] or found["quoted"])
        end = found.end()
    if not steps:
        raise ValueError(f"{_EXPECTED}; {text!r} is the whole body, so that any recording would answer every request")
    return JsonPath(text, tuple(steps))


def written(place: Place) -> str:
    """A location as the text of a JSON path."""
    return str(place[0]) + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" if re.fullmatch(r"[\w-]+", part) else f"[{part!r}]"
        for part in place[1:]
    )
