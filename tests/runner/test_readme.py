"""What README shows first is so."""

from __future__ import annotations

from tests.documents.pages import ROOT, blocks


def test_the_smallest_test(pytester):
    """Scored, recorded, replayed: the three commands that stand below it, without an account."""
    (code,) = [block.text for block in blocks(ROOT / "README.md") if block.file == "test_contract.py"]
    pytester.makepyfile(test_contract=code)
    pytester.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=2)
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=2)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_the_two_commands():
    """The demo and all tests, letter by letter; the second is what CI runs."""
    demo, tests = (block.text.strip() for block in blocks(ROOT / "README.md")[:2])
    assert demo == "python3 -m pip install tox && python3 -m tox run -e demo"
    assert tests == "python3 -m pip install tox && python3 -m tox run"
    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
