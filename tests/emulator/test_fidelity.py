"""FIDELITY.md says of every route and rule how it is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_wml.emulator.routes import ROUTES
from pytest_wml.tools.verify import fidelity
from pytest_wml.wml import tables

PAGE = Path(__file__).parents[2] / "FIDELITY.md"
DATA = PAGE.with_name("fidelity.json")
STATUSES = r"validated live on \d{4}-\d\d-\d\d|recorded by IBM|from documentation|assumed"


def rows() -> list[list[str]]:
    """The cells of every row below the legend."""
    text = PAGE.read_text(encoding="utf-8").partition("## Routes")[2]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if "status" not in row]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_has_a_row(route):
    """A route that nobody wrote a source for is not done."""
    assert f"`{route}`" in [row[0] for row in rows()]


def test_every_row_is_about_a_route_that_exists():
    """A row outlives its route otherwise."""
    routes = {f"`{route}`" for route in ROUTES}
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


def test_ids_of_our_own_are_marked():
    """Each specification whose id was never seen is named in a row that is assumed."""
    assumed = [row[0] for row in rows() if "assumed" in row and row[0].startswith("ids of ")]
    names = {line["name"] for line in tables.rows("software_specifications.tsv") if line["status"] == "assumed"}
    assert {name for name in names if any(name in rule for rule in assumed)} == names


def test_page_and_data_agree():
    """The table of routes is written from the data; how a route is known otherwise is one of the other statuses."""
    rows = fidelity.load(DATA)
    text = PAGE.read_text(encoding="utf-8")
    assert fidelity.page(text, rows) == text
    assert fidelity.text(rows) == DATA.read_text(encoding="utf-8")
    assert {row.basis for row in rows} <= {"recorded by IBM", "from documentation", "assumed"}


def test_a_day_is_written_into_data_and_page(tmp_path):
    """For the routes that agreed, and no other; how it was known before is kept in the data."""
    for file in (PAGE, DATA):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    asked = ["POST /ml/v4/models", "GET /no/such/route"]
    assert fidelity.update(tmp_path / DATA.name, asked, "2027-01-02") == ["POST /ml/v4/models"]
    lines = (tmp_path / PAGE.name).read_text(encoding="utf-8").splitlines()
    before = PAGE.read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(before, lines, strict=True) if old != new]
    assert changed == [
        (
            "| `POST /ml/v4/models` | 201 | recorded by IBM | data-api, samples |",
            "| `POST /ml/v4/models` | 201 | validated live on 2027-01-02 | data-api, samples |",
        )
    ]
    assert {row.basis for row in fidelity.load(tmp_path / DATA.name)} == {row.basis for row in fidelity.load(DATA)}


@pytest.mark.parametrize("damage", ["", "[]", '{"routes": [{"route": 1}]}', '{"routes": [1]}'])
def test_damaged_data_is_told(tmp_path, damage):
    """By name, before anything is written."""
    (tmp_path / "fidelity.json").write_text(damage)
    with pytest.raises(fidelity.BadFidelity, match=r"data of FIDELITY\.md"):
        fidelity.update(tmp_path / "fidelity.json", [], "2027-01-02")
