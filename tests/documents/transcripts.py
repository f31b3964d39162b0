"""What a console block shows: commands, and what they print."""

from __future__ import annotations

import re
from typing import NamedTuple

# What TensorFlow says before anybody can ask it to be quiet.
_NOISE = re.compile(r"WARNING: All log messages before absl|[IWE]0000 ")


class Step(NamedTuple):
    """A command and what the page shows of its output; None where it shows none."""

    command: str
    shown: str | None


def steps(text: str) -> list[Step]:
    """The commands of a block: after each `$` one, with its output; without any `$` the block is one script."""
    if not re.search(r"^\$ ", text, flags=re.MULTILINE):
        return [Step(text, None)]
    found = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = 1 + next(index for index, line in enumerate(lines) if not line.endswith("\\"))
        shown = "\n".join(lines[length:]).strip("\n")
        found.append(Step("\n".join(lines[:length]), shown or None))
    return found


def plain(output: str) -> str:
    """An output as a page shows it: no spaces at the ends of lines, no empty lines around it."""
    lines = [line.rstrip() for line in output.splitlines() if not _NOISE.match(line)]
    return "\n".join(lines).strip("\n")


def matches(shown: str, output: str, *, whole: bool = True) -> bool:
    """Whether an output is what a page shows; `…` alone on a line stands for any lines, else for any text in a line.

    Args:
        shown: by the page.
        output: of the command.
        whole: nothing else may be in the output.
    """
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "…" else r"[^\n]*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in plain(shown).splitlines()
    )
    start, end = (r"\A", r"\Z") if whole else (r"(?:\A|(?<=\n))", "")
    return re.search(start + pattern + end, plain(output) + "\n") is not None
