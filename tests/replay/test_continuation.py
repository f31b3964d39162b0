"""Recording again: what stays, and which dates hold, so that two branches do not change the same lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wml.replay.cassette.continuation import continued
from pytest_wml.replay.cassette.file import BadCassette, Cassette, dump
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.replay.cassette.suite_part import SuitePart
from tests.replay.taping import exchange

MODEL = {"digest": "b" * 64, "basis": "model", "archive": "a" * 64}
FACTS = {"recorded_from": "embedded", "client": "client 1", "recorded_at": "2026-01-01", "model": MODEL}
PATH = "/ml/v4/deployments/d/predictions"
EVERY = pytest.mark.parametrize("part", SuitePart)


def cassette(*rows, **facts):
    tape = [exchange("POST", PATH, {"row": row}, body={"row": row}) for row in rows]
    return Cassette("tiny", {**FACTS, **facts}, tuple(normalised(tape, "tiny", {})))


def dates(recorded):
    """Row → date."""
    return {int(one.body[8:-1]): recorded.origin(one).recorded_at for one in recorded.interactions}


OLD = cassette(1, 2)


@EVERY
def test_what_is_new_says_so_itself(part):
    """The date of the file and what did not change stay as they are: the added lines are all that changed."""
    recorded = continued(cassette(1, 2, 3, recorded_at="2026-02-02"), OLD, part, 0)
    assert dates(recorded) == {1: "2026-01-01", 2: "2026-01-01", 3: "2026-02-02"}
    assert recorded.metadata == OLD.metadata
    old, new = dump(OLD).splitlines(), dump(recorded).splitlines()
    assert [line for line in old if line.rstrip(",") not in {each.rstrip(",") for each in new}] == []


@EVERY
def test_recording_the_same_renews_the_date(part):
    """Nothing else changed: that is what the run was for."""
    recorded = continued(cassette(1, 2, recorded_at="2026-02-02"), OLD, part, 0)
    assert dates(recorded) == {1: "2026-02-02", 2: "2026-02-02"}
    assert dump(recorded) == dump(cassette(1, 2, recorded_at="2026-02-02"))


@pytest.mark.parametrize(("max_age", "date"), [(0, "2026-01-01"), (32, "2026-01-01"), (31, "2026-02-02")])
def test_a_recording_that_is_too_old_is_renewed(max_age, date):
    """After `wml_max_age` days the recording of everything gets a new date, whatever else changed."""
    recorded = continued(cassette(1, 3, recorded_at="2026-02-02"), OLD, SuitePart.ALL, max_age)
    assert dates(recorded)[1] == date


def test_a_recording_from_elsewhere_has_a_new_date():
    """Another client, or live for embedded: all of it comes from there."""
    recorded = continued(cassette(1, 2, 3, recorded_at="2026-02-02", recorded_from="live"), OLD, SuitePart.ALL, 0)
    assert set(dates(recorded).values()) == {"2026-02-02"}
    assert recorded.recorded_from == "live"


def test_one_test_recorded_live_says_so():
    """The others are still of the embedded service."""
    recorded = continued(cassette(3, recorded_at="2026-02-02", recorded_from="live"), OLD, SuitePart.CHOSEN, 0)
    assert {recorded.origin(one).recorded_from for one in recorded.interactions if b"3" in one.body} == {"live"}
    assert recorded.recorded_from == "embedded, live"


def test_only_a_complete_run_removes_anything():
    """A part keeps what others recorded."""
    new = cassette(1, recorded_at="2026-02-02")
    assert dates(continued(new, OLD, SuitePart.ALL, 0)) == {1: "2026-01-01"}
    for part in (SuitePart.USUAL, SuitePart.CHOSEN):
        assert dates(continued(new, OLD, part, 0)) == {1: "2026-01-01", 2: "2026-01-01"}


def test_what_is_not_compared_is_that_of_both():
    """An answer that stays was recorded without a comparison at that place."""
    old, new = cassette(1, 2, ignored=["$.a"]), cassette(1, ignored=["$.b"])
    assert continued(new, old, SuitePart.CHOSEN, 0).metadata["ignored"] == ["$.b", "$.a"]
    assert continued(new, old, SuitePart.ALL, 0).metadata["ignored"] == ["$.b"]
    assert continued(cassette(1), old, SuitePart.CHOSEN, 0).metadata["ignored"] == ["$.a"]


def test_another_model_replaces_all_but_not_by_some_tests():
    """Answers of the old model answer nobody any more; tests that did not run would lose theirs."""
    other = {"model": {**MODEL, "digest": "c" * 64}}
    for part in (SuitePart.ALL, SuitePart.USUAL):
        assert continued(cassette(1, **other), OLD, part, 0) == cassette(1, **other)
    assert continued(cassette(1, 2, **other), OLD, SuitePart.CHOSEN, 0) == cassette(1, 2, **other)
    with pytest.raises(BadCassette, match="would lose what others need") as refusal:
        continued(cassette(1, **other), OLD, SuitePart.CHOSEN, 0)
    assert "would be lost: POST /ml/v4/deployments/d/predictions" in str(refusal.value)


def test_the_oldest_date_of_format_1_is_kept():
    """It had one date for all that an earlier run had recorded."""
    old = replace(OLD, metadata={**OLD.metadata, "recorded_at": "2026-01-20", "oldest": "2026-01-01"})
    recorded = continued(cassette(3, recorded_at="2026-02-02"), old, SuitePart.CHOSEN, 0)
    assert (recorded.oldest, recorded.newest) == ("2026-01-01", "2026-02-02")
    assert "oldest" not in recorded.metadata
