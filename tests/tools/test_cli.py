"""`pytest-wml`: help that helps, and the versions that a bug report needs."""

from __future__ import annotations

import argparse
import platform
import re
import shlex
import subprocess
import sys
from importlib import metadata

import pytest

import pytest_wml
from pytest_wml.tools.cli import main, parser

HEAVY = {"tensorflow", "keras", "ibm_watson_machine_learning", "ibm_watsonx_ai", "vcr", "numpy", "werkzeug", "requests"}


def commands(top=None, words=()):
    """Each command that does something: its words and its parser."""
    top = top or parser()
    below = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for name, each in action.choices.items():
            yield from commands(each, (*words, name))
    if not below:
        yield pytest.param(words, top, id=" ".join(words))


@pytest.mark.parametrize(("words", "command"), commands())
def test_each_command_says_what_it_does_with_an_example(words, command):
    """And the example is one that it takes."""
    assert command.description
    assert "example" in command.epilog
    examples = re.findall(rf"pytest-wml {' '.join(words)}\b[^\n]*", command.epilog)
    assert examples
    for example in examples:
        text = re.split(r" {2,}| > | &", example.replace("pytest-wml", "", 1).strip())[0]
        parser().parse_args(shlex.split(text))


@pytest.mark.parametrize("words", [(), ("cassette",), ("contract",)])
def test_too_little_is_answered_with_help(capsys, words):
    """On standard error, with the exit status of a wrong command line."""
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"usage: {' '.join(('pytest-wml', *words))}" in said.err
    assert "positional arguments:" in said.err


def test_every_command_is_in_the_help(capsys):
    """With a few words each."""
    main([])
    told = capsys.readouterr().err
    for action in parser()._actions:
        for name in action.choices or ():
            assert re.search(rf"^    {name} +\w+", told, flags=re.MULTILINE)


def test_version_names_what_a_bug_report_needs():
    """And loads none of it."""
    program = (
        "import sys; from pytest_wml.tools.cli import main\n"
        "try: main(['--version'])\n"
        f"finally: print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    lines = told.splitlines()
    assert lines[0] == f"pytest-wml {pytest_wml.__version__}"
    assert lines[1] == f"python {platform.python_version()} ({platform.python_implementation()})"
    for name in ("pytest", "ibm-watsonx-ai", "tensorflow", "keras", "numpy", "vcrpy"):
        assert f"{name} {metadata.version(name)}" in lines
    assert lines[-2:] == [f"platform {platform.platform()}", "loaded: []"]
