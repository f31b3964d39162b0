"""Names of what live runs create: marked, and told apart from everybody else's."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.live.resource_names import Mark, marked, new_run, now, parted

NAMES = st.text(min_size=1, max_size=60)


@given(NAMES, st.timedeltas(datetime.timedelta(minutes=6), datetime.timedelta(days=30)))
def test_a_mark_is_found_again(name, lifetime):
    """Whatever the name, also one that has a mark already: the last one counts."""
    mark = marked(new_run(), lifetime)
    assert parted(name + mark.suffix) == (name, mark)
    assert parted(name + mark.suffix + mark.suffix) == (name + mark.suffix, mark)


@given(NAMES)
def test_other_names_have_none(name):
    """Only the whole form is a mark."""
    assert parted(name) == (name, None)


@pytest.mark.parametrize(
    "name",
    [
        "fraud-pytest-wml-3fa91c02-20261126T1530",
        "fraud-pytest-wml-3fa91c02-20261126T1530Z-v2",
        "fraud-pytest-wml-3FA91C02-20261126T1530Z",
        "fraud-pytest-wml-3fa91c02-20261399T1530Z",
        "fraud_pytest-wml-3fa91c02-20261126T1530Z",
        "fraud-pytest-wml-kept3fa91c02-20261126T1530Z",
        "my pytest-wml experiments",
    ],
)
def test_what_is_nearly_a_mark_is_none(name):
    """A name that somebody gave is never taken for ours."""
    assert parted(name) == (name, None)


@pytest.mark.parametrize("seconds", [0, 0.000001, 0.33, 1, 59.999999])
def test_it_lasts_as_long_as_it_was_given(seconds):
    """Rounded up to the minute, and then it has expired; at any moment of a minute."""
    moment = datetime.datetime(2026, 11, 28, 8, 31, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)
    with time_machine.travel(moment, tick=False):
        begun = now()
        mark = marked("0" * 8, datetime.timedelta(hours=4))
    assert datetime.timedelta(hours=4) <= mark.expires - begun <= datetime.timedelta(hours=4, minutes=1)
    assert not mark.expired(begun + datetime.timedelta(hours=4) - datetime.timedelta(seconds=1))
    assert mark.expired(mark.expires)


def test_what_is_kept_between_runs_says_so():
    """By the name that stands for its model."""
    assert Mark("kept0123456789ab", now()).kept
    assert not Mark("01234567", now()).kept
