"""What pytest's own help says of the plugin."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

import pytest

from pytest_wml.config.option_table import TABLE
from pytest_wml.runner import fixtures
from pytest_wml.runner.marker import wml

PUBLIC = [name for name in vars(fixtures) if name.startswith("wml_")]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A line of `pytest --help` for each option in our group."""
    folder = tmp_path_factory.mktemp("help")
    command = [sys.executable, "-m", "pytest", "--help"]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, env=os.environ | {"COLUMNS": "1000"}
    )
    ours = done.stdout.partition("IBM Watson Machine Learning:\n")[2].partition("\n\n")[0]
    # A long flag has a line of its own.
    return re.sub(r"\n {20,}", "  ", ours)


def test_each_option_stands_in_our_group_and_says_how_else_it_is_given(told):
    """Flag, what it means, variable, ini: a sentence or a few, and no more than fit in five lines of a terminal."""
    for option in TABLE:
        (line,) = re.findall(rf"^  {option.flag}(?:=[A-Z]+)? +(.+)$", told, flags=re.MULTILINE)
        assert line.startswith(option.help)
        assert line.endswith(f" Also {option.env}, ini {option.ini}.")
        assert re.match(r"[A-Z].*[.`]$", option.help), option.flag
        assert len(line) <= 5 * 56, option.flag


def test_a_value_that_is_chosen_by_default_is_named(told):
    """Mode, folders, names; an empty one is told in words."""
    for option in TABLE:
        default = option.default
        if isinstance(default, str) and default:
            assert re.search(rf"^  {option.flag}=.*Default: {re.escape(default)}\.", told, flags=re.MULTILINE)


def test_an_option_that_takes_a_value_says_of_what_kind(told):
    """In one word; the name that argparse makes of the flag is none."""
    assert "WML_" not in re.sub(r" Also WML_\w+", "", told)
    assert re.search(r"^  --wml=MODE ", told, flags=re.MULTILINE)


def test_each_public_fixture_is_listed_with_a_line(pytester):
    """What it gives; what is not meant to be used is not listed."""
    assert PUBLIC
    result = pytester.runpytest_inprocess("--fixtures")
    listed = result.stdout.str().partition("fixtures defined from pytest_wml.runner.fixtures")[2].partition("\n---")[0]
    for name in PUBLIC:
        lines = listed.partition(f"\n{name} ")[2].splitlines()
        assert re.match(r"    [A-Z]\S* \S.*[.:\]]", lines[1]), name
        assert len(lines[1]) <= 120
    assert sorted(re.findall(r"^\w+", listed, flags=re.MULTILINE)) == sorted(PUBLIC)


def test_the_marker_is_listed_with_its_keywords(pytester):
    """As a signature, and each keyword explained."""
    result = pytester.runpytest_inprocess("--markers")
    (line,) = [line for line in result.outlines if line.startswith("@pytest.mark.wml(")]
    signature, _, meaning = line.partition("): ")
    for keyword in inspect.signature(wml).parameters:
        assert f"{keyword}=" in signature
        assert re.search(rf"\b{keyword}\b", meaning)
