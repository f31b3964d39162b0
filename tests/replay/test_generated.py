"""Which values look as if each run made them anew, and what a recording holds for them."""

from __future__ import annotations

import datetime
import email.utils
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.replay.cassette.generated import alike, form, is_generated, parts, stand_in

MOMENTS = st.datetimes(datetime.datetime(2002, 1, 1), datetime.datetime(2037, 1, 1))
HEX, BASE36 = "0123456789abcdef", string.ascii_lowercase + string.digits


def written(moment):
    """A moment as people write it into a name."""
    seconds = moment.replace(tzinfo=datetime.UTC).timestamp()
    aware = moment.replace(tzinfo=datetime.UTC)
    return {
        "isoformat": moment.isoformat(),
        "str": str(moment),
        "aware": str(aware),
        "zulu": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "date": moment.strftime("%Y-%m-%d"),
        "compact": moment.strftime("%Y%m%d-%H%M%S"),
        "Azure": moment.strftime("%Y%m%d.3"),
        "underscored": moment.strftime("%Y%m%d_%H%M"),
        "together": moment.strftime("%Y%m%d%H%M%S"),
        "basic": moment.strftime("%Y%m%dT%H%M%SZ"),
        "short": moment.strftime("%y%m%d-%H%M"),
        "dashed": moment.strftime("%Y-%m-%d-%H-%M-%S"),
        "mixed": moment.strftime("%Y-%m-%dT%H%M%S"),
        "clock": moment.strftime("%H:%M:%S"),
        "dashed clock": moment.strftime("%H-%M-%S"),
        "german": moment.strftime("%d.%m.%Y, %H:%M"),
        "american": moment.strftime("%m/%d/%Y"),
        "words": moment.strftime("%d %B %Y"),
        "american words": moment.strftime("%b %d, %Y at %H:%M"),
        "ctime": time.asctime(moment.timetuple()),
        "mail": email.utils.format_datetime(aware),
        "epoch": str(int(seconds)),
        "epoch, ms": str(int(seconds * 1000)),
        "epoch, ns": str(int(seconds) * 10**9 + 17),
        "epoch, float": str(seconds + 0.25),
    }


WRITTEN = sorted(written(datetime.datetime(2024, 5, 1)))


@given(st.sampled_from(WRITTEN), MOMENTS, MOMENTS)
def test_times(how, one, other):
    """Two moments written in one way are alike, inside whatever name."""
    names = [f"iris-{written(moment)[how]}" for moment in (one, other)]
    assert is_generated(names[0])
    assert alike(*names)


@given(st.uuids(), st.uuids(), st.sampled_from([str, lambda one: one.hex, lambda one: str(one).replace("-", "_")]))
def test_uuids(one, other, write):
    """With dashes, without, with underscores."""
    assert is_generated(f"iris-{write(one)}")
    assert alike(f"iris-{write(one)}", f"iris-{write(other)}")


@given(st.sampled_from([6, 7, 8, 10, 12, 16, 40]), st.data())
def test_hexadecimal_suffixes(length, data):
    """Also where one of two is digits or letters alone, as one in 2500 of eight digits is."""
    one = data.draw(st.text(HEX, min_size=length, max_size=length).filter(lambda text: not text.isalpha()))
    other = data.draw(st.text(HEX, min_size=length, max_size=length))
    assert is_generated(f"iris-{one}")
    assert alike(f"iris-{one}", f"iris-{other}")


@given(st.text(BASE36, min_size=8, max_size=8), st.text(BASE36, min_size=8, max_size=8))
def test_suffixes_of_letters_and_digits(one, other):
    """One of two has to change between letters and digits."""
    if "mixed" in {part.kind for text in (one, other) for part in parts(text)}:
        assert alike(f"iris_{one}", f"iris_{other}")


@pytest.mark.parametrize(
    "name",
    ["", "iris", "mnist_cnn", "resnet50", "word2vec", "bert4rec", "v2", "model-7", "iris-1234", "tensorflow_2.14",
     "runtime-24.1-py3.11", "1.2.3.4", "sales 2024q3", "x" * 5000, "facade", "Größe"],
)  # fmt: skip
def test_names_that_people_write(name):
    """No part of them is taken for one that a program made."""
    assert list(parts(name)) == []


@given(st.text(string.ascii_letters + " -_.", max_size=20), st.text(string.ascii_letters + " -_.", max_size=20))
def test_words_are_alike_to_themselves_only(one, other):
    """A changed name is another one."""
    assert alike(one, other) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iris-3f9a1c2e", "rose-3f9a1c2e"),
        ("iris-3f9a1c2e", "iris-v2"),
        ("iris-20240501", "iris"),
        ("iris-3f9a1c2e", "iris-3f9a1c2e0"),
        ("iris-2024-05-01", "iris-final"),
    ],
)
def test_what_stands_around_counts(one, other):
    """The same words around, and a part of the same form."""
    assert not alike(one, other)


GENERATED = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda one: one.hex[:8]),
    st.uuids().map(lambda one: one.hex),
    MOMENTS.map(written).flatmap(lambda ways: st.sampled_from(sorted(ways.values()))),
    st.sampled_from(["/tmp/pytest-of-ada/pytest-7/test_it0", "tmpk3j9x2ab", "gw3", "<M at 0x7f3a5c1b2d30>"]),
    st.text(BASE36, min_size=9, max_size=9),
)
AROUND = st.sampled_from([("", ""), ("iris-", ""), ("a b ", "-x"), ("", " (nightly)")])
TEXTS = st.builds(lambda around, made: around[0] + made + around[1], AROUND, GENERATED)
VALUES = TEXTS | st.integers(10**9, 4 * 10**9) | st.floats(1e9, 4e9)


@given(VALUES, st.integers(1, 40))
def test_what_stands_for_a_value(value, number):
    """It is alike to the value, of its type and form, and looks generated itself."""
    held = stand_in(value, "cassette", number)
    assert type(held) is type(value)
    if is_generated(value):
        assert is_generated(held)
        assert alike(value, held)
        assert alike(held, value)
        assert form(stand_in(held, "cassette", number)) == form(held)


@given(st.uuids(), st.uuids())
def test_what_stands_for_a_value_is_the_same_in_every_recording(one, other):
    """It depends on the recording, the form and the turn, not on the value."""
    held = [stand_in(f"iris-{each}", "cassette", 1) for each in (one, other)]
    assert held[0] == held[1]
    assert held[0] != stand_in(f"iris-{one}", "cassette", 2)
    assert held[0] != stand_in(f"iris-{one}", "other", 1)


@given(VALUES, VALUES)
def test_alike_has_no_direction(one, other):
    """Whoever is asked and whoever was recorded."""
    assert alike(one, other) == alike(other, one)
    assert alike(one, one)


def test_numbers_of_a_ci_run():
    """What the environment calls the number of this run is one, short as it is, in texts and as a number."""
    assert not alike("nightly-1523", "nightly-1499")
    assert alike("nightly-1523", "nightly-1499", {"1523"})
    assert alike("nightly-1523", "nightly-local", {"1523"})
    assert alike(1523, 1499, {"1523"})
    assert not alike(1523, "1499", {"1523"})
    assert alike("nightly-1600", stand_in("nightly-1523", "c", 1, {"1523"}), {"1600"})


def test_numbers_that_are_times():
    """Seconds, milliseconds, nanoseconds since 1970 in `custom`; another number is itself only."""
    assert alike(1714560000, 1795847220)
    assert alike(1714560000.25, 1795847220.0)
    assert not alike(1714560000, 1795847220123)
    assert not alike(17, 18)
    assert not alike(True, 1714560000)


def test_ids_that_are_known_are_constant():
    """The id of a model inside a name is no variable where it is one of the recording's own."""
    known = "11111111-1111-4111-8111-111111111111"
    assert not is_generated(f"copy of {known}", (), {known})
