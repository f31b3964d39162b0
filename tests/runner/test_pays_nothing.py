"""A project that does not use WML does not pay for the plugin."""

from __future__ import annotations

import os

import pytest

from pytest_wml.config import option_table
from tests.runner.test_activation import HIDE_CLIENTS

HEAVY = "vcr werkzeug numpy requests urllib3 httpcore http.server ibm_watson_machine_learning tensorflow keras filelock"
OURS = "_version plugin config config.option_table runner runner.activation runner.fixtures"
"""Modules of ours that are loaded at every start; all others only in an active run."""


def test_nothing_heavy_is_loaded(pytester, monkeypatch):
    """A run without a WML test loads none of the libraries that the plugin works with, and little of the plugin."""
    for name in [name for name in os.environ if name == "GITHUB_ACTIONS" or name.startswith("WML_")]:
        monkeypatch.delenv(name)  # with it there is more to do in a run
    pytester.makepyfile("def test_one(): pass", hide_clients=HIDE_CLIENTS)
    pytester.syspathinsert()
    pytester.makeconftest(
        f"""
        import sys

        def pytest_sessionfinish():
            print("loaded:", [name for name in {HEAVY!r}.split() if sys.modules.get(name)])
            ours = {{name.removeprefix("pytest_wml.") for name in sys.modules if name.startswith("pytest_wml.")}}
            print("ours:", sorted(ours - set({OURS!r}.split())))
        """
    )
    # Other plugins of this environment load some of them.
    quiet = [f"-pno:{name}" for name in ("recording", "hypothesispytest", "anyio", "socket", "xdist", "time_machine")]
    result = pytester.runpytest_subprocess("-s", "-phide_clients", "test_nothing_heavy_is_loaded.py", *quiet)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([*option_table.UNTOUCHED, "*loaded: []*", "*ours: []*"])
    assert "= wml =" not in result.stdout.str()


def test_it_can_be_turned_off(pytester):
    """`-p no:wml`: nothing of the package is imported; there is no option of it, no fixture, no marker."""
    pytester.makepyfile(
        """
        import sys

        def test_one(request):
            assert not [name for name in sys.modules if name.startswith("pytest_wml")]
            assert not request.config.pluginmanager.hasplugin("wml")
        """
    )
    pytester.runpytest_subprocess("-p", "no:wml").assert_outcomes(passed=1)
    told = pytester.runpytest_inprocess("-p", "no:wml", "--help").stdout.str()
    assert "IBM Watson Machine Learning" not in told
    assert "wml_" not in told.replace("no:wml", "")
    assert "wml_" not in pytester.runpytest_inprocess("-p", "no:wml", "--fixtures").stdout.str()
    assert "mark.wml" not in pytester.runpytest_inprocess("-p", "no:wml", "--markers").stdout.str()
    result = pytester.runpytest_inprocess("-p", "no:wml", "--wml=embedded")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --wml=embedded*"])
