"""The lines of a cassette file, laid out so that git merges what two branches add.

Each interaction has two lines, which no other interaction has: its request, and the rest. Between the scorings of a
deployment stand blank lines, always equally many: a scoring's place among them follows from its identity. Two branches
that each add a scoring insert it at the same place only if both fall between the same two blank lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_wml.replay.cassette.normalise import Interaction

_SECTIONS = 64
"""Into so many sections blank lines part the scorings of a deployment."""

# YAML reads these as line breaks, or not at all, where JSON allows them bare.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_MARKER = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?= |$)", re.MULTILINE)


def text_of(head: dict[str, Any], entries: Sequence[dict[str, Any]], interactions: Sequence[Interaction]) -> str:
    """The text of a file.

    Args:
        head: what stands before the interactions.
        entries: one for each interaction.
        interactions: in the same order.
    """
    above = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = [f'{above},\n "interactions": [']
    last = len(entries) - 1
    for number, (entry, blank) in enumerate(zip(entries, _blank_lines(interactions), strict=True)):
        lines += [""] * blank
        lines += _lines(entry, "" if number == last else ",")
    text = "\n".join([*lines, " ]", "}", ""])
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _lines(entry: dict[str, Any], comma: str) -> tuple[str, str]:
    asked, *others = ((name, json.dumps(member, ensure_ascii=False)) for name, member in entry.items())
    rest = ", ".join(f'"{name}": {member}' for name, member in others)
    return f'  {{"{asked[0]}": {asked[1]},', f"   {rest}}}{comma}"


def _blank_lines(interactions: Sequence[Interaction]) -> Iterator[int]:
    """Yield how many blank lines stand before each interaction.

    None stand at the end of the list: an addition changes the comma before it, so that two would not fit together.
    """
    path, section = "", 0
    for one in interactions:
        here = one.path if one.scores else ""
        before = _SECTIONS - 1 - section if path and here != path else 0
        if here != path:
            path, section = here, 0
        if here:
            before += max(0, _section(one) - section)
            section = max(section, _section(one))
        yield before


def _section(scoring: Interaction) -> int:
    try:
        return int(scoring.identity[:8], 16) * _SECTIONS >> 32
    except ValueError:  # of a file that others wrote
        return 0


def conflicts(text: str) -> list[int]:
    """The lines at which conflicts begin that git left in a text; empty where there are none."""
    found = [(text.count("\n", 0, marker.start()) + 1, marker[1][0]) for marker in _MARKER.finditer(text)]
    begun = [line for line, sign in found if sign == "<"]
    return begun or [line for line, _ in found]
