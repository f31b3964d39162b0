"""FIDELITY.md says of every route and rule how it is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_wml.embedded.routes import ROUTES

PAGE = Path(__file__).parents[2] / "FIDELITY.md"
STATUSES = r"validated live on \d{4}-\d\d-\d\d|recorded by IBM|from documentation|assumed"


def rows() -> list[list[str]]:
    """The cells of every row below the legend."""
    text = PAGE.read_text(encoding="utf-8").partition("## Routes")[2]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if "status" not in row]


def written(path: str) -> str:
    """A path of the url map as the page writes it."""
    return re.sub(r"<(?:any\(.*?\):)?_?(\w+)>", r"{\1}", path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_has_a_row(route):
    """A route that nobody wrote a source for is not done."""
    assert f"`{route.method} {written(route.path)}`" in [row[0] for row in rows()]


def test_every_row_is_about_a_route_that_exists():
    """A row outlives its route otherwise."""
    routes = {f"`{route.method} {written(route.path)}`" for route in ROUTES}
    named = {row[0] for row in rows() if re.match(r"`(GET|POST|PUT|PATCH|DELETE) ", row[0])}
    assert named == routes


def test_every_row_has_exactly_one_status():
    """One of the four, in its own cell."""
    for row in rows():
        assert len([cell for cell in row if re.fullmatch(STATUSES, cell)]) == 1, row


def test_what_is_not_assumed_has_a_source():
    """In the last cell."""
    for row in rows():
        assert row[-1] or "assumed" in row, row
