"""What the benchmarks write down."""

from __future__ import annotations

import pytest

from tests.benchmarks import results
from tests.benchmarks.figures import Figure, Measured, told


@pytest.mark.parametrize(
    ("figure", "value", "met"),
    [
        (Figure("start", "ms", [110, 130], "bare", [100, 100], "added", goal=10), 20, False),
        (Figure("suite", "s", [2, 9], "imports", [1, 3], goal=2.5), 2.5, True),
        (Figure("replay", "ms", [1, 1], "vcrpy", [7], "faster", goal=5, at_least=True), 7, True),
        (Figure("cached", "s", [0.1, 0.3, 0.2], compare="itself", goal=0.2), 0.2, True),
        (Figure("size", "MB", [1], "tar", [2]), 0.5, None),
    ],
    ids=lambda one: one.what if isinstance(one, Figure) else "",
)
def test_figures_are_compared_pair_by_pair(figure, value, met):
    """Samples that were taken in turn are compared with each other, and the median of that is told."""
    assert figure.value == value
    assert figure.met is met


def test_samples_are_told_with_their_spread():
    """The median, and in brackets the least and the most."""
    assert told([3.0, 1.0, 2.0], "ms") == "2 ms (1–3)"
    assert told([1234.5], "ms") == "1,234 ms"
    assert told([], "ms") == ""


def test_rows_survive_being_kept(tmp_path, monkeypatch):
    """The page is made from what was kept: rows of other runs, and of other machines, stay in it."""
    monkeypatch.setattr(results, "DATA", tmp_path / "results.json")
    monkeypatch.setattr(results, "PAGE", tmp_path / "RESULTS.md")
    measured = Measured([Figure("start", "ms", [12.0], "pytest alone", [10.0], "added", goal=10)], "imports")
    results.save({"gpu": {**measured.as_json(), "machine": {"processor": "other"}}}, ["start", "gpu"])
    kept = results.load()
    results.save({**kept, "start": {**measured.as_json(), "machine": {"processor": "this"}}}, ["start", "gpu"])
    assert list(results.load()) == ["start", "gpu"]
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| start | 12 ms | pytest alone | 10 ms | +2 ms | ≤ 10 ms added | yes |" in page
    assert "- gpu: processor other" in page
    assert sorted(file.name for file in tmp_path.iterdir()) == ["RESULTS.md", "results.json"]
