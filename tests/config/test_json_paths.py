"""JSON paths, as `wml_ignore` takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.config.json_paths import parsed, written


@pytest.mark.parametrize(
    ("path", "place", "covered"),
    [
        ("$.custom.build", ("$", "custom", "build"), True),
        ("$.custom.build", ("$", "custom", "build", "number"), True),
        ("$.custom.build", ("$", "custom"), False),
        ("$.custom.build", ("$", "custom", "builder"), False),
        ("$['custom']['build no.']", ("$", "custom", "build no."), True),
        ('$["custom"].*', ("$", "custom", "any"), True),
        ("$.input_data[*].values[*][3]", ("$", "input_data", 0, "values", 17, 3), True),
        ("$.input_data[*].values[*][3]", ("$", "input_data", 0, "values", 17, 4), False),
        ("$.input_data[0].values", ("$", "input_data", 1, "values"), False),
        ("$.tags[0]", ("$", "tags", 0), True),
        ("$.input_data.0.values.0.3", ("$", "input_data", 0, "values", 0, 3), True),
    ],
)
def test_what_a_path_names(path, place, covered):
    """A place, and all that is inside of it."""
    assert parsed(path).cover(place) is covered


def test_several_paths():
    """One a line, or with commas; comments and empty lines are left out."""
    text = "$.custom.build, $.custom['a, b'],\n\n# the clock\n$.description $.tags[*]"
    assert [path.text for path in parsed(text)] == ["$.custom.build", "$.custom['a, b']", "$.description", "$.tags[*]"]
    assert str(parsed("$.a,$.b")) == "$.a, $.b"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("custom.build", "'custom.build' does not begin with $"),
        ("$", "'$' is the whole body, so that any recording would answer every request"),
        ("$.custom..build", "'$.custom..build' is invalid from '..build' on"),
        ("$.custom[build]", "is invalid from '[build]' on"),
        ("$.custom.", "is invalid from '.' on"),
        ("$.a[-1]", "is invalid from '[-1]' on"),
        ("$.a, b", "is invalid from ', b' on"),
    ],
)
def test_what_is_no_path(text, words):
    """The message names the path, and where it stops to be one."""
    with pytest.raises(ValueError, match="JSON paths such as") as raised:
        parsed(text)
    assert words in str(raised.value)


@given(st.lists(st.one_of(st.text("abc _-.'", min_size=1), st.integers(0, 99)), min_size=1, max_size=4))
def test_a_written_place_is_read_again(steps):
    """What a message proposes can be pasted into the ini."""
    place = ("$", *steps)
    (path,) = parsed(written(place))
    assert path.steps == tuple(steps)
