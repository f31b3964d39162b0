"""Which routes a comparison with the live service is written down for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.tools.verify import fidelity
from pytest_wml.tools.verify.differences import Difference
from pytest_wml.tools.verify.outcome import RequestOutcome, Verification, agreed
from pytest_wml.tools.verify.rules import DifferenceKind, DifferenceLevel
from pytest_wml.tools.verify.run import date

ROOT = Path(__file__).parents[3]
READ, MADE, LISTED = "GET /ml/v4/models/{model_id}", "POST /ml/v4/models", "GET /ml/v4/models"


def outcome(route, *levels, accepted=True, left_out=""):
    found = tuple(Difference(level, "a", DifferenceKind.VALUE, 1, 2) for level in levels)
    return RequestOutcome(0, route, route, accepted, found, left_out)


def verification(*outcomes, recorded_from="embedded", **more):
    return Verification(Cassette("tiny", {"recorded_from": recorded_from}), list(outcomes), **more)


def test_all_answers_of_a_route_have_to_agree():
    """One that differs in any recording is enough; one that only differs in ids and dates is none."""
    assert agreed([verification(outcome(READ, DifferenceLevel.INFO), outcome(MADE, DifferenceLevel.WARN))]) == [READ]
    assert agreed([verification(outcome(READ)), verification(outcome(READ, DifferenceLevel.ERROR))]) == []


def test_a_refusal_alone_says_nothing_about_a_route():
    """That the service refuses a token shows nothing of what it answers to a good one; nor does what was left out."""
    assert agreed([verification(outcome(READ, accepted=False), outcome(MADE, left_out="for a reason"))]) == []
    assert agreed([verification(outcome(READ, accepted=False), outcome(READ))]) == [READ]


@pytest.fixture
def data(tmp_path):
    """The data and the page, to write into."""
    for name in ("fidelity.json", "FIDELITY.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "fidelity.json"


def test_what_is_dated(data):
    """What the embedded service recorded and the live one answered alike; page and data say the same."""
    results = [
        verification(outcome(READ)),
        verification(outcome(MADE), recorded_from="live"),
        verification(outcome(LISTED), other_kind=True),
    ]
    date(data, results, is_embedded=False)
    dated = [row for row in fidelity.load(data) if row.validated_live]
    assert [row.route for row in dated] == [READ]
    assert dated[0].status == f"validated live on {dated[0].validated_live}"
    page = data.with_name("FIDELITY.md").read_text(encoding="utf-8")
    assert page.count(dated[0].status) == 1
    assert fidelity.page(page, fidelity.load(data)) == page


def test_an_embedded_service_dates_nothing(data):
    """Whatever it agrees with is itself."""
    before = data.read_text(encoding="utf-8")
    with pytest.raises(WMLTestError, match="the verified service is an embedded service"):
        date(data, [verification(outcome(READ))], is_embedded=True)
    assert data.read_text(encoding="utf-8") == before
