"""HTML from arbitrary text, which is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable


def plain(value: object) -> str:
    """Text with invisible characters, and those that change its direction, replaced by escape sequences."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def esc(value: object) -> str:
    """Text for HTML, also between the quotes of an attribute."""
    return html.escape(plain(value))


def items(lines: Iterable[str], kind: str = "") -> str:
    """A list of texts; empty without texts."""
    listed = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f'<ul class="{esc(kind)}">{listed}</ul>' if listed else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A description list of names and values; empty without values."""
    listed = "".join(f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>" for name, value in pairs if value)
    return f"<dl>{listed}</dl>" if listed else ""


def pill(state: str, word: str) -> str:
    """A word on a coloured background."""
    return f'<span class="pill" data-state="{esc(state)}">{esc(word)}</span>'


def many(number: int, word: str) -> str:
    """A number and a word in singular or plural."""
    return f"{number} {word}{'' if number == 1 else 's'}"
