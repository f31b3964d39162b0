"""What a reader sees of a broken contract: never more than 40 lines."""

from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wml.contract import ContractBroken, Finding, Result
from pytest_wml.contract.rendering import render


def wrong_digits(number, digits, **more) -> Result:
    findings = [
        Finding(
            f"row {row}: expected 5, got 3 (3: 0.900, 5: 0.050, 8: 0.025)",
            row,
            {"expected": "5", "predicted": "3", "top": [(3, 0.9), (5, 0.05), (8, 0.025)]},
        )
        for row in range(number)
    ]
    images = {row: digits.images[row % 100] for row in range(number)}
    return Result("classes", "mnist", "embedded", "every class", findings=tuple(findings), images=images, **more)


def test_wrong_digits_are_drawn(digits):
    """Beside each other, each with its row, both classes and the three likeliest."""
    lines = render(wrong_digits(3, digits), columns=100, encoding="utf-8").split("\n")
    assert lines[0] == "classes: 3 findings (mnist, answered by embedded)"
    assert any("█" in line for line in lines)
    assert sum("expected 5, got 3" in line for line in lines) == 1
    assert lines[-3].split() == ["row", "0", "row", "1", "row", "2"]
    assert lines[-1].split() == ["3:0.900", "5:0.050", "8:0.025"] * 3


def test_what_cannot_be_drawn_any_more_is_listed(digits):
    """Forty lines, the last of which says how many more."""
    lines = render(wrong_digits(70, digits), columns=70, encoding="ascii").split("\n")
    assert len(lines) == 40
    drawn = sum(line.count("expected 5, got 3") for line in lines)
    assert drawn >= 6
    assert lines[-1] == f"… and {70 - drawn} more findings"
    assert all(line.isascii() for line in lines[:-1])


@settings(max_examples=40)
@given(
    number=st.integers(1, 90),
    drawn=st.integers(0, 90),
    columns=st.integers(1, 300),
    message=st.text(max_size=300),
    notes=st.lists(st.text(max_size=9), max_size=6),
)
def test_never_more_than_forty_lines(number, drawn, columns, message, notes):
    """Whatever was found, and however wide the terminal is."""
    facts = {"expected": message, "predicted": message}
    findings = tuple(Finding(message, row or None, facts if row % 2 else {}) for row in range(number))
    images = {row: np.ones(784) for row in range(drawn)}
    result = Result("c", "d", "m", message, {"measure": message}, findings, images, tuple(notes))
    assert len(render(result, columns=columns, encoding="utf-8").splitlines()) <= 40


def test_a_finding_about_numbers_is_a_line(digits):
    """A digit says nothing of a number that differs in its fourth place."""
    finding = Finding("row 0: probabilities[3] is 0.5, in the local model 0.4", 0, {"error": 0.1})
    result = Result("parity", "d", "embedded", "the same", findings=(finding,), images={0: digits[5]})
    assert render(result, columns=80, encoding="utf-8").split("\n")[2:] == [f"- {finding.message}"]


def test_a_change_of_probability_is_drawn_with_both_values(digits):
    """The changed image, and how the probability moved."""
    finding = Finding("row 7: class 5 0.9000 → 0.9500", 7, {"before": 0.9, "after": 0.95})
    result = Result("directional", "d", "embedded", "lowers", findings=(finding,), images={7: digits[5]})
    assert render(result, columns=80, encoding="utf-8").split("\n")[-2:] == ["row 7", "class 5 0.9000 → 0.9500"]


def test_what_a_model_answers_moves_no_cursor(digits):
    """Escape sequences in a class or a name are shown as what they are."""
    finding = Finding("row 0: expected 5, got \x1b[2J", 0, {"expected": "5", "predicted": "\x1b[2J"})
    for images in ({}, {0: digits[5]}):
        shown = render(Result("c", "d\r", "m", "p", findings=(finding,), images=images), columns=80, encoding="utf-8")
        assert "\x1b" not in shown
        assert "\\x1b[2J" in shown


def test_the_error_survives_pickling(digits):
    """xdist and multiprocessing send errors between processes."""
    error = ContractBroken(wrong_digits(2, digits))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.result.findings == error.result.findings
