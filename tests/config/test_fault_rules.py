"""The lines that ask for faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.config.fault_rules import KINDS, BadFault, FaultTarget, parse, read

UUID = "cb9f6e3a-5ce6-463a-8f25-5c1d070f7634"
VALUES = {
    "code": st.sampled_from(["429", "500", "503", "409", "401"]),
    "retry-after": st.integers(0, 999).map(str),
    "seconds": st.floats(0, 3600, allow_nan=False).map(str),
    "after": st.integers(0, 999).map(str),
    "after-bytes": st.integers(0, 999).map(str),
    "name": st.sampled_from(["fraud", "two\\ words"]),
    "reason": st.sampled_from(["'out of memory'", '"it is # broken"', "x"]),
    "on": st.sampled_from(["predictions", '"POST /predictions"', "DELETE", "'GET ml/v4/models'"]),
    "nth": st.integers(1, 99).map(str),
    "times": st.integers(1, 99).map(str),
    "probability": st.floats(0, 1, allow_nan=False).map(str),
    "seed": st.integers(0, 99).map(str),
}


@st.composite
def lines(draw):
    """A line of any kind, with all that it needs and some of what it may have."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    words = [*KINDS[kind].needs, *draw(st.lists(st.sampled_from(KINDS[kind].may), unique=True))]
    return " ".join([kind, *(f"{word}={draw(VALUES[word])}" for word in words)])


@given(st.lists(lines(), max_size=4))
def test_what_is_written_is_read_back(script):
    """A script's own text is the same script."""
    faults = parse(script)
    assert len(faults) == len(script)
    assert parse("\n".join(map(str, faults))) == faults


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="#"), max_size=60))
def test_any_other_text_is_refused_in_words(text):
    """Whatever is written, it is a script or an error that says where it is wrong."""
    try:
        said = " ".join(map(str, parse(text)))
    except BadFault as error:
        said = str(error)
    assert said.startswith(("This is not a valid fault (line ", *KINDS)) or not text.strip()


def test_comments_and_blank_lines_say_nothing():
    """A script may be explained."""
    assert [str(fault) for fault in parse("# storm\n\nstatus code=429 times=2  # twice\n")] == [
        "status code=429 times=2"
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "statsu code=429",
            "the fault 'statsu' is unknown.\n  line: statsu code=429\n  accepts: token-expires, status, slow,",
        ),
        ("statsu code=429", "what to do: did you mean status?"),
        ("status code=429 nht=3", "status does not accept 'nht=3'."),
        ("status code=429 nht=3", "did you mean nth=?"),
        ("status", "status needs code=."),
        ("status code=200", "code=200 is not the number of an HTTP error, such as 429 or 500."),
        ("status code=499", "code=499 is not the number of an HTTP error"),
        ("slow seconds=nan", "seconds=nan is not seconds, up to 3600."),
        ("slow seconds=1 seconds=2", "a parameter occurs twice."),
        ("cut nth=0", "nth=0 is not a whole number from 1."),
        ("cut probability=2", "probability=2 is not a number from 0 to 1."),
        ("cut on=post?x", "on=post?x is not a method, the end of a path, or both"),
        ('cut on="POST', "a quotation mark is not closed."),
        ("token-expires after=3 seed=1", "token-expires does not accept 'seed=1'."),
    ],
)
def test_a_mistake_is_explained(line, message):
    """The error has the place, what is accepted, and what was probably meant."""
    with pytest.raises(BadFault) as raised:
        parse(["cut", line], "wml_faults")
    assert str(raised.value).startswith("This is not a valid fault (wml_faults, line 2): ")
    assert message in str(raised.value)


def test_a_file_is_read(tmp_path):
    """One fault a line; a file that is not there is named."""
    (tmp_path / "faults.txt").write_text("cut\nslow seconds=2\n")
    assert [fault.kind for fault in read(tmp_path / "faults.txt")] == ["cut", "slow"]
    with pytest.raises(BadFault, match=r"The file of faults cannot be read: .*none\.txt"):
        read(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("on", "method", "path", "meant"),
    [
        ("POST /predictions", "POST", f"/ml/v4/deployments/{UUID}/predictions", True),
        ("POST /predictions", "GET", f"/ml/v4/deployments/{UUID}/predictions", False),
        ("predictions", "POST", "/ml/v4/deployments/my_name/predictions", True),
        ("POST /deployments", "POST", f"/ml/v4/deployments/{UUID}/predictions", False),
        ("DELETE /deployments", "DELETE", f"/ml/v4/deployments/{UUID}", True),
        (f"/deployments/{UUID}", "GET", f"/ml/v4/deployments/{UUID}", True),
        ("ml/v4/models", "GET", "//ml/v4/models", True),
        ("odels", "GET", "/ml/v4/models", False),
        ("GET", "GET", "/v2/spaces", True),
        ("GET", "POST", "/v2/spaces", False),
    ],
)
def test_which_requests_are_meant(on, method, path, meant):
    """A method, the end of a path without its ids, or both."""
    assert FaultTarget.of(on).matches(method, path, for_token=False) is meant


def test_tokens_are_spared_unless_they_are_named():
    """A storm over everything lets clients log in."""
    assert not FaultTarget().matches("POST", "/identity/token", for_token=True)
    assert not FaultTarget.of("POST").matches("POST", "/identity/token", for_token=True)
    assert FaultTarget.of("POST /identity/token").matches("POST", "/identity/token", for_token=True)


def test_chance_is_repeatable():
    """The same seed chooses the same requests; another seed, or another fault, chooses others."""
    [seven], [eight] = parse("cut probability=0.2 seed=7"), parse("cut probability=0.2 seed=8")
    chosen = [number for number in range(1, 1001) if seven.chosen(number)]
    assert chosen == [number for number in range(1, 1001) if parse(str(seven))[0].chosen(number)]
    assert chosen != [number for number in range(1, 1001) if eight.chosen(number)]
    assert 150 < len(chosen) < 250
