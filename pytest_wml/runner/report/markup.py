"""Text that others wrote, made harmless for HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable


def plain(value: object) -> str:
    """Text without what cannot be seen, or turns what is seen around."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def esc(value: object) -> str:
    """Text for HTML, also between the quotes of an attribute."""
    return html.escape(plain(value))


def items(lines: Iterable[str], kind: str = "") -> str:
    """A list of texts; nothing for none."""
    listed = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f'<ul class="{esc(kind)}">{listed}</ul>' if listed else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values; both are texts. Nothing for none."""
    listed = "".join(f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>" for name, value in pairs if value)
    return f"<dl>{listed}</dl>" if listed else ""


def pill(state: str, word: str) -> str:
    """A word on a coloured ground."""
    return f'<span class="pill" data-state="{esc(state)}">{esc(word)}</span>'


def many(number: int, word: str) -> str:
    """A number and a word in the right form."""
    return f"{number} {word}{'' if number == 1 else 's'}"
