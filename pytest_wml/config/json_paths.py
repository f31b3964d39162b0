"""JSON paths: members, items, and wildcards for either."""

from __future__ import annotations

import re
from typing import NamedTuple

Place = tuple[str | int, ...]
"""Members and items from the root of a value, `$`, down."""

_STEP = re.compile(
    r"""\.(?P<name>[^\s.,\[\]'"*$]+)|\.\*(?P<all>)|\[\*\](?P<items>)|\[(?P<item>\d+)\]|\[(?P<quote>['"])(?P<quoted>.+?)(?P=quote)\]"""
)
_EXPECTED = "JSON paths such as $.custom.build or $.input_data[*].values[*][3]"


class JsonPath(NamedTuple):
    """One path.

    Args:
        text: as it was written.
        steps: after the `$`; None for every member or item.
    """

    text: str
    steps: tuple[str | int | None, ...]

    def covers(self, place: Place) -> bool:
        """Whether the path names a place, or something around it."""
        behind = place[1:]
        # Messages write an item's number as a member's name: $.values.0.
        return len(behind) >= len(self.steps) and all(
            step is None or str(step) == str(part) for step, part in zip(self.steps, behind, strict=False)
        )


class JsonPaths(tuple[JsonPath, ...]):
    """The paths of an option, shown as they were written."""

    def __str__(self) -> str:
        return ", ".join(path.text for path in self)

    def cover(self, place: Place) -> bool:
        """Whether any of the paths names a place, or something around it."""
        return any(path.covers(place) for path in self)


def parsed(text: str) -> JsonPaths:
    """Read paths, one a line or with commas between them; empty lines and `#` comments are left out.

    Raises:
        ValueError: a path cannot be read; the message names it and what is wrong.
    """
    lines = [line.strip() for line in text.splitlines()]
    # A comma inside quotes belongs to a name.
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
            raise ValueError(f"{_EXPECTED}; {text!r} cannot be read from {text[end:]!r} on")
        steps.append(int(found["item"]) if found["item"] else found["name"] or found["quoted"])
        end = found.end()
    if not steps:
        raise ValueError(
            f"{_EXPECTED}; {text!r} is the whole body, and every request would be answered by any recording"
        )
    return JsonPath(text, tuple(steps))


def written(place: Place) -> str:
    """A place as a path."""
    return str(place[0]) + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" if re.fullmatch(r"[\w-]+", part) else f"[{part!r}]"
        for part in place[1:]
    )
