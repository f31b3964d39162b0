"""Errors say what happened, what is known, what to do next, also after a journey between processes."""

from __future__ import annotations

import pickle

from pytest_wml.errors import BadOption, WMLTestError
from pytest_wml.model.archive import BadArchive


def test_the_text_has_the_problem_the_facts_and_the_fix():
    """Empty facts are left out; further lines are indented."""
    error = BadOption("It broke.", file="a.json", empty="", none=None, read_at="one\ntwo", fix="mend it")
    assert str(error).splitlines() == [
        "It broke.",
        "  file: a.json",
        "  read at: one",
        "    two",
        "  what to do: mend it",
    ]


def test_an_error_survives_pickling():
    """xdist's workers send errors to the controller."""
    error = BadArchive("It broke.", file="a", fix="mend it")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.facts) == (BadArchive, str(error), {"file": "a"})


def test_no_form_of_an_error_shows_a_secret():
    """Neither its text, its repr, its arguments nor a copy in another process."""
    error = WMLTestError(
        "No login with password=hunter2-and-more there.", url="https://me:hunter2-and-more@cpd.example.com"
    )
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert "hunter2" not in f"{each} {each!r} {each.args} {each.facts}"
        assert each.problem == "No login with password=**************** there."
