"""Converts results of checks to notes of limited size, with images as PNGs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.images import is_image
from pytest_wml.contract.samples import SHOWN, Sample
from pytest_wml.contract.statistics import confusion
from pytest_wml.runner.report.notes import CheckNote, Confusion, LevelNote, SampleNote
from pytest_wml.runner.report.png import data_uri

FINDINGS = 100
"""Maximal number of findings in a note."""
_MAX_LENGTH = 500
_BARS = 10
_BINS = 24
_LABELS = 40
_SHARES = 40
_INPUTS = 20
_VALUES = 16
"""Maximal number of values of a sample's input."""
_ROWS_OF_A_MATRIX = 10
"""Minimal number of rows for a confusion matrix."""


def check_note(result: Result) -> CheckNote:
    """The note of a check's result."""
    measured = result.measured
    return CheckNote(
        check=_text(result.check),
        deployment=_text(result.deployment),
        mode=result.mode,
        promised=_text(result.promised),
        measured={_text(name): text for name, value in measured.items() if (text := _measure(value))},
        shares=_shares(measured.get("shares")),
        findings=tuple(_text(finding.message) for finding in result.findings[:FINDINGS]),
        found=len(result.findings),
        notes=tuple(map(_text, result.notes)),
        samples=tuple(_samples(result)),
        levels=tuple(_levels(measured.get("levels") or ())),
        confusion=_confusion(measured),
    )


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"


def _measure(value: Any) -> str:
    """A measured number or text; empty for other values."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return _text(value) if isinstance(value, (int, str)) else ""


def _shares(shares: object) -> dict[str, float]:
    if not isinstance(shares, Mapping):
        return {}
    return {_text(name): _finite(share) for name, share in list(shares.items())[:_SHARES]}


def _finite(number: Any) -> float:
    return float(number) if math.isfinite(number) else 0.0


def _samples(result: Result) -> Iterator[SampleNote]:
    if result.samples:
        yield from map(_of_sample, result.samples)
        return
    drawable = [finding for finding in result.findings if finding.row in result.images]
    for finding in drawable[:SHOWN]:
        yield _of_finding(finding, result.images)


def _of_sample(sample: Sample) -> SampleNote:
    broken = sample.expected != sample.predicted
    caption = f"expected {sample.expected}, got {sample.predicted}" if broken else f"got {sample.predicted}"
    return SampleNote(
        row=sample.row,
        caption=_text(caption),
        broken=broken,
        image=_image(sample.given),
        values=_values(sample.given),
        bars=_bars(list(zip(sample.columns or range(len(sample.probabilities)), sample.probabilities, strict=True))),
    )


def _of_finding(finding: Finding, images: Mapping[int, Any]) -> SampleNote:
    assert finding.row is not None
    return SampleNote(
        row=finding.row,
        caption=_text(finding.message.partition(": ")[2] or finding.message),
        broken=True,
        image=_image({"": images[finding.row]}),
        values=_values({"": images[finding.row]}),
        bars=_bars(finding.facts.get("top") or ()),
    )


def _image(inputs: Mapping[str, Any]) -> str:
    row, *others = inputs.values()
    return "" if others else data_uri(row)


def _values(inputs: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The name and values of each input; none for an image."""
    row, *others = inputs.values()
    if not others and row.dtype.kind in "fiub" and is_image(row.shape):
        return ()
    return tuple((_text(name), _listed(row)) for name, row in list(inputs.items())[:_INPUTS])


def _listed(row: Any) -> str:
    """The first values of a row, and their number."""
    first = [f"{value:.6g}" if isinstance(value, float) else _text(value) for value in row.flat[:_VALUES].tolist()]
    more = f", … ({row.size} values)" if row.size > len(first) else ""
    shape = f"{list(row.shape)}: " if row.ndim > 1 else ""
    return f"{shape}{', '.join(first)}{more}"


def _bars(shares: Sequence[tuple[Any, float]]) -> tuple[tuple[str, float], ...]:
    """The probabilities of all classes in order; if there are many, of the most probable ones."""
    likeliest = sorted(shares, key=lambda pair: -_finite(pair[1]))[:_BARS]
    chosen = [pair for pair in shares if pair in likeliest] if len(shares) <= _BARS else likeliest
    return tuple((_text(label), min(1.0, max(0.0, _finite(share)))) for label, share in chosen)


def _levels(levels: Iterable[Mapping[str, Any]]) -> Iterator[LevelNote]:
    """Yield histograms with common, logarithmic edges."""
    levels = list(levels)
    times = [seconds for level in levels for seconds in level["seconds"]]
    if not times:
        return
    low, high = max(min(times), 1e-6) * 0.98, max(times) * 1.02
    ratio = (high / low) ** (1 / _BINS)
    edges = tuple(low * ratio**number for number in range(_BINS + 1))
    for level in levels:
        counts = [0] * _BINS
        for seconds in level["seconds"]:
            counts[min(_BINS - 1, max(0, int(math.log(max(seconds, low) / low, ratio))))] += 1
        percentiles = {name: level[name] for name in ("p50", "p95", "p99") if name in level}
        yield LevelNote(level["concurrency"], tuple(counts), edges, percentiles, len(level["failures"]))


def _confusion(measured: Mapping[str, Any]) -> Confusion | None:
    if "confusion" in measured:
        labels, matrix = measured["labels"], measured["confusion"]
    elif len(measured.get("expected_classes") or ()) >= _ROWS_OF_A_MATRIX:
        labels, matrix = confusion(measured["expected_classes"], measured["predicted_classes"])
    else:
        return None
    if len(labels) > _LABELS:
        labels, matrix = _most_confused(labels, matrix)
    return Confusion(tuple(map(_text, labels)), tuple(map(tuple, matrix)))


def _most_confused(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> tuple[list[str], list[list[int]]]:
    """The part of a matrix with the labels that are confused most often."""
    wrong = [sum(row) + sum(line[number] for line in matrix) - 2 * row[number] for number, row in enumerate(matrix)]
    kept = sorted(sorted(range(len(labels)), key=lambda number: -wrong[number])[:_LABELS])
    return [labels[number] for number in kept], [[matrix[row][column] for column in kept] for row in kept]
