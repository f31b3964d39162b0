"""Formats a broken contract as text of at most 40 lines, with drawings of digits."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pytest_wml.model.drawing import draw_digit, side_by_side

LINES = 40
_WIDEST = 110
_DRAWN = 30
_MARGIN = 10
_DRAWN_FOR = {"expected", "before"}
"""Findings with one of these facts are drawn as an image; all others are lines."""
_FIRST = 5
_PIXELS: tuple[tuple[int, ...], ...] = ((784,), (28, 28), (28, 28, 1))


class RenderedFinding(Protocol):
    """The rendered attributes of a finding."""

    @property
    def message(self) -> str: ...
    @property
    def row(self) -> int | None: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


class RenderedResult(Protocol):
    """The rendered attributes of a result."""

    @property
    def check(self) -> str: ...
    @property
    def deployment(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def promised(self) -> str: ...
    @property
    def measured(self) -> Mapping[str, Any]: ...
    @property
    def findings(self) -> Sequence[RenderedFinding]: ...
    @property
    def images(self) -> Mapping[int, Any]: ...
    @property
    def notes(self) -> Sequence[str]: ...


def render(result: RenderedResult, *, columns: int | None = None, encoding: str | None = None) -> str:
    """Format a result's promise, measurements and findings in at most 40 lines; the last line counts omitted findings.

    Args:
        result: the result of a check.
        columns: width of the terminal; that of the current terminal by default.
        encoding: encoding of the terminal; that of the current terminal by default.
    """
    columns = columns or shutil.get_terminal_size().columns
    encoding = encoding or getattr(sys.__stdout__, "encoding", None) or "utf-8"
    lines = [*_head(result), *(_line(finding) for finding in _general(result))]
    shown = 0
    across = max(1, (columns - _MARGIN) // _DRAWN)
    for strip in _strips(result, across):
        drawn = _drawn(strip, result, encoding)
        if len(lines) + len(drawn) >= LINES:
            break
        lines += drawn
        shown += len(strip)
    rest = [_line(finding) for finding in _undrawn(result, shown)]
    room = LINES - len(lines)
    if len(rest) > room:
        rest = [*rest[: room - 1], f"… and {len(rest) - room + 1} more findings"]
    return "\n".join(lines + rest)


def _head(result: RenderedResult) -> Iterator[str]:
    number = len(result.findings)
    yield _cut(
        f"{result.check}: {number} finding{'s' if number != 1 else ''} ({result.deployment}, answered by {result.mode})"
    )
    yield _cut(f"  promised: {result.promised}")
    measured = "; ".join(f"{name} {shown}" for name, fact in result.measured.items() if (shown := _short(fact)))
    measured_lines = textwrap.wrap(f"  measured: {measured}", _WIDEST, subsequent_indent="    ") if measured else []
    yield from map(_cut, measured_lines[:3])
    for note in result.notes[:3]:
        yield _cut(f"  note: {note}")


def _short(fact: Any) -> str:
    """A measurement in one line; empty for a table, which only the report shows."""
    if isinstance(fact, float):
        return f"{fact:.4g}"
    return str(fact) if isinstance(fact, (int, str)) else ""


def _strips(result: RenderedResult, across: int) -> Iterator[Sequence[RenderedFinding]]:
    """Yield the drawable findings in groups that fit beside each other on the terminal."""
    drawable = [finding for finding in result.findings if _is_drawable(result, finding)]
    for start in range(0, len(drawable), across):
        yield drawable[start : start + across]


def _is_drawable(result: RenderedResult, finding: RenderedFinding) -> bool:
    image = None if finding.row is None or not _DRAWN_FOR & set(finding.facts) else result.images.get(finding.row)
    return image is not None and image.shape in _PIXELS


def _general(result: RenderedResult) -> list[RenderedFinding]:
    """The first findings about the whole deployment, which are shown before findings about rows."""
    return [finding for finding in result.findings if finding.row is None][:_FIRST]


def _undrawn(result: RenderedResult, shown: int) -> Iterator[RenderedFinding]:
    general = len(_general(result))
    for finding in result.findings:
        if general and finding.row is None:
            general -= 1
        elif shown and _is_drawable(result, finding):
            shown -= 1
        else:
            yield finding


def _drawn(strip: Sequence[RenderedFinding], result: RenderedResult, encoding: str) -> list[str]:
    blocks = [draw_digit(result.images[finding.row], encoding=encoding) for finding in strip if finding.row is not None]
    return side_by_side(_cropped(blocks), [_caption(finding) for finding in strip]).split("\n")


def _cropped(blocks: Sequence[str]) -> list[str]:
    """The drawings without the top and bottom lines that are blank in all of them."""
    grids = [block.split("\n") for block in blocks]
    inked = [number for grid in grids for number, line in enumerate(grid) if line.strip()]
    first, last = min(inked, default=0), max(inked, default=0)
    return ["\n".join(grid[first : last + 1]) for grid in grids]


def _caption(finding: RenderedFinding) -> str:
    """Two or three lines as wide as a drawing: expected class, predicted class, most probable classes."""
    facts = finding.facts
    if "expected" in facts:
        lines = [f"row {finding.row}: {facts.get('transform', '')}".rstrip(": ")]
        lines.append(f"expected {facts['expected']}, got {facts.get('predicted')}")
    else:
        lines = [f"row {finding.row}", finding.message.partition(": ")[2]]
    if facts.get("top"):
        lines.append(" ".join(f"{label}:{share:.3f}" for label, share in facts["top"]))
    return "\n".join(line if len(line) <= _DRAWN - 2 else line[: _DRAWN - 3] + "…" for line in map(_printable, lines))


def _line(finding: RenderedFinding) -> str:
    return _cut(f"- {finding.message}")


def _cut(line: str) -> str:
    line = _printable(line)
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _printable(line: str) -> str:
    """A line without terminal control characters: a model may answer any text."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
