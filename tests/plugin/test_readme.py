"""What README and docs say is so."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_the_smallest_test(pytester):
    """Scored, recorded, replayed: the three commands that stand below it, without an account."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    pytester.makepyfile(test_contract=code)
    pytester.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=2)
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=2)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_every_option_is_documented():
    """The table of docs/options.md and the table of the code name the same options."""
    from pytest_wml.table import TABLE

    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert [option.flag for option in TABLE if f"`{option.flag}`" not in text] == []
