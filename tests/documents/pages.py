"""The fenced blocks of a Markdown page, and what they say of themselves.

A block's info string, which readers do not see, may say more than its language:

    ```python file=train.py       a file of the page's project; so does a first line `# train.py`
    ```console exit=1             what the (last) command ends with, where that is not 0
    ```console not-run="why"      not run here, and why

`<!-- given: model.tar.gz -->` puts files into the project that the reader has and the page does not make.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
KNOWN = {"file", "exit", "not-run"}
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`]*)$")
_GIVEN = re.compile(r"<!-- given: (.+) -->$")
_NAMED = re.compile(r"# ([\w./-]+\.\w+|\.gitattributes)(:.*)?$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: relative to the root.
        line: of the opening fence, from 1.
        language: `console`, `python`, …; of a directive its name in braces; `given` for files that are given.
    """

    page: str
    line: int
    language: str
    text: str
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The file that the block is, or nothing."""
        named = _NAMED.match(self.text.partition("\n")[0])
        return self.attributes.get("file") or (named[1] if named and self.language != "console" else "")

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        return self.attributes.get("not-run")


def pages() -> list[Path]:
    """README and every page of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order, between them what is given."""
    return list(_blocks(page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8").splitlines()))


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        if given := _GIVEN.match(line):
            yield Block(page, number, "given", given[1])
        opened = _FENCE.match(line)
        if not opened:
            continue
        content = []
        for _, inner in numbered:
            if inner.strip() == opened["fence"]:
                break
            content.append(inner.removeprefix(opened["indent"]))
        else:
            raise ValueError(f"{page}:{number}: the block does not end")
        language, _, said = opened["info"].strip().partition(" ")
        yield Block(page, number, language, "".join(f"{each}\n" for each in content), _attributes(language, said))


def _attributes(language: str, said: str) -> dict[str, str]:
    if language.startswith("{"):  # a directive's arguments are Sphinx's
        return {}
    return dict(word.partition("=")[::2] for word in shlex.split(said))
