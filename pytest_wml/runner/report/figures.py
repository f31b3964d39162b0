"""Bars, histograms and matrices as HTML and SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from pytest_wml.runner.report.markup import esc, many
from pytest_wml.runner.report.notes import Confusion, LevelNote, SampleNote

_WIDTH, _HEIGHT, _AXIS = 480, 70, 18
_SHOWN = 6
"""Number of samples that are shown; the others are in a closed element."""


def bars(shares: Iterable[tuple[str, float]], *, of: str) -> str:
    """A bar for each share from 0 to 1; the longest is highlighted.

    Args:
        shares: label and share.
        of: name of the shares, for screen readers.
    """
    shares = list(shares)
    most = max((share for _, share in shares), default=0.0)
    rows = "".join(
        f'<li{" class=most" if share == most else ""}><span class="label" title="{esc(label)}">{esc(label)}</span>'
        f'<span class="track"><span class="fill" style="width:{share * 100:.2f}%"></span></span>'
        f'<span class="value">{_percent(share)}</span></li>'
        for label, share in shares
    )
    return f'<ol class="bars" aria-label="{esc(of)}">{rows}</ol>' if rows else ""


def _percent(share: float) -> str:
    """A share as text; only exact values are shown as 0 % and 100 %."""
    if 0 < share < 0.001:
        return "&lt; 0.1 %"
    if 0.999 < share < 1:
        return "&gt; 99.9 %"
    return f"{share * 100:.1f} %"


def sample(note: SampleNote) -> str:
    """A row of a check: input, result and probabilities."""
    state = "broken" if note.broken else "held"
    number = f'<span class="row">row {note.row}</span>'
    image = f'<img src="{esc(note.image)}" alt="row {note.row}">' if note.image else ""
    head = f'<div class="seen">{image}{number}</div>' if image else number
    values = "".join(
        f"<div>{f'<dt>{esc(name)}</dt>' if name else ''}<dd>{esc(value)}</dd></div>" for name, value in note.values
    )
    inputs = f'<dl class="values" aria-label="input">{values}</dl>' if values else ""
    return (
        f'<li class="sample" data-state="{state}">{head}<div class="result"><p>{esc(note.caption)}</p>{inputs}'
        f"{bars(note.bars, of='probabilities')}</div></li>"
    )


def samples(notes: Sequence[SampleNote]) -> str:
    """The first rows of a check, and the others in a closed element."""
    shown = f'<ul class="samples" aria-label="Samples">{"".join(map(sample, notes[:_SHOWN]))}</ul>'
    rest = notes[_SHOWN:]
    if not rest:
        return shown
    more = "".join(map(sample, rest))
    return (
        f'{shown}<details class="more"><summary>{many(len(rest), "more sample")}</summary>'
        f'<ul class="samples">{more}</ul></details>'
    )


def matrix(confusion: Confusion) -> str:
    """A confusion matrix: rows are expected labels, columns are predicted labels."""
    labels = [esc(label) for label in confusion.labels]
    head = "".join(f'<th scope="col">{label}</th>' for label in labels)
    body = "".join(
        f'<tr><th scope="row">{label}</th>{"".join(_cells(number, row))}</tr>'
        for number, (label, row) in enumerate(zip(labels, confusion.matrix, strict=True))
    )
    right = sum(row[number] for number, row in enumerate(confusion.matrix))
    total = sum(map(sum, confusion.matrix))
    return (
        f'<figure class="wide" tabindex="0" role="region" aria-label="Confusion matrix">'
        f'<table class="matrix"><caption>Confusion matrix: {right} of {total} on the diagonal</caption>'
        f'<thead><tr><th scope="col" class="corner">expected ↓\npredicted →</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></figure>"
    )


def _cells(number: int, row: tuple[int, ...]) -> Iterator[str]:
    total = sum(row) or 1
    for column, count in enumerate(row):
        kind = "right" if column == number else "wrong"
        if not count:
            yield f'<td class="{kind} none">·</td>'
            continue
        # A single confusion among hundreds must be visible.
        share = max(count / total, 0.25 if kind == "wrong" else 0.08)
        strong = " strong" if share > 0.6 else ""
        yield f'<td class="{kind}{strong}" style="--share:{share * 100:.0f}%">{count}</td>'


def histogram(level: LevelNote) -> str:
    """Latencies at one concurrency, with a logarithmic axis."""
    low, high = level.edges[0], level.edges[-1]

    def across(seconds: float) -> float:
        return math.log(max(low, min(high, seconds)) / low) / math.log(high / low) * _WIDTH

    tallest = max(max(level.counts), 1)
    columns = "".join(
        f'<rect x="{across(left) + 0.5:.1f}" y="{_HEIGHT * (1 - count / tallest):.1f}" '
        f'width="{across(right) - across(left) - 1:.1f}" height="{_HEIGHT * count / tallest:.1f}"/>'
        for count, left, right in zip(level.counts, level.edges[:-1], level.edges[1:], strict=True)
        if count
    )
    marks = "".join(
        f'<line class="{esc(name)}" x1="{across(at):.1f}" x2="{across(at):.1f}" y1="0" y2="{_HEIGHT}"/>'
        for name, at in level.percentiles.items()
    )
    ticks = "".join(
        f'<text x="{across(at):.1f}" y="{_HEIGHT + _AXIS - 4}">{_milliseconds(at)}</text>' for at in _ticks(low, high)
    )
    percentiles = ", ".join(f"{name} {_milliseconds(at)}" for name, at in level.percentiles.items()) or "no answer"
    failed = f", {level.failures} failed" if level.failures else ""
    title = f"{level.concurrency} at once: {many(sum(level.counts), 'answer')}{failed}; {percentiles}"
    return (
        f'<figure class="latency"><figcaption>{esc(title)}</figcaption>'
        f'<svg viewBox="0 -2 {_WIDTH} {_HEIGHT + _AXIS + 2}" role="img" aria-label="{esc(title)}">{columns}'
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>{marks}{ticks}</svg></figure>'
    )


def _ticks(low: float, high: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times the powers of ten between two times, without those next to the edges."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(decades) < 4 else (1,)
    for decade in decades:
        for step in steps:
            if low * 1.02 < (at := step * 10.0**decade) < high / 1.02:
                yield at


def _milliseconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
