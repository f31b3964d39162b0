"""A run is active when anything in it concerns WML; else the plugin declares its options and does nothing."""

from __future__ import annotations

import os

import pytest

from pytest_wml.config import option_table

HIDE_CLIENTS = """
    import sys

    for client in ("ibm_watson_machine_learning", "ibm_watsonx_ai"):
        sys.modules[client] = None
"""
SHOW = """
    import sys

    def pytest_unconfigure(config):
        print("active:", config.pluginmanager.hasplugin("pytest_wml_runner"))
"""
QUIET = [f"-pno:{name}" for name in ("recording", "hypothesispytest", "anyio", "socket", "time_machine")]


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest in a project without IBM's clients, of which one test passes; whether the run was active."""
    for name in [name for name in os.environ if name in option_table.VARIABLES or name in option_table.CREDENTIALS]:
        monkeypatch.delenv(name)
    pytester.makepyfile(hide_clients=HIDE_CLIENTS)
    pytester.makeconftest(SHOW)
    pytester.syspathinsert()

    def run(tests="def test_one(): pass", *arguments: str, **outcomes: int) -> bool:
        pytester.makepyfile(tests)
        result = pytester.runpytest_subprocess("-phide_clients", "-rA", *QUIET, *arguments)
        result.assert_outcomes(**(outcomes or {"passed": 1}))
        return "active: True" in result.stdout.str()

    return run


def test_a_project_that_does_not_use_wml(run, pytester):
    """Inactive, also with the recordings of another recorder in the folder that has the same name."""
    (pytester.mkdir("cassettes") / "theirs.yaml").write_text("interactions: []\nversion: 1\n")
    assert not run()


@pytest.mark.parametrize("name", ["WML_MODE", "WATSONX_APIKEY", "WML_MODEL"])
def test_an_option_or_credentials_in_the_environment(name, run, monkeypatch):
    """Active."""
    monkeypatch.setenv(name, {"WML_MODE": "embedded"}.get(name, "x"))
    assert run()


def test_an_option_in_the_ini_file_or_on_the_command_line(run, pytester):
    """Active."""
    assert run("def test_one(): pass", "--wml=replay")
    pytester.makeini("[pytest]\nwml_mode = replay\n")
    assert run()


def test_a_recording(run, pytester):
    """Active: the tests that it belongs to may use any HTTP client."""
    (pytester.mkdir("cassettes") / "ours.yaml").write_text('{\n "version": 1,\n "metadata": {\n  "pytest-wml": {}}}')
    assert run()


@pytest.mark.parametrize(
    "test",
    ["import pytest\n@pytest.mark.wml(live_only=True)\ndef test_one(): pass", "def test_one(wml_client): pass"],
    ids=["marker", "fixture"],
)
def test_a_test_that_asks_for_something_of_ours(test, run):
    """Active from then on: the marker skips, the fixture names the missing client."""
    assert run(test, **({"skipped": 1} if "mark" in test else {"errors": 1}))


def test_a_fixture_that_is_asked_for_by_name(run):
    """Active from then on."""
    assert run("def test_one(request): request.getfixturevalue('wml_digits')") is False
    assert run("def test_one(request): request.getfixturevalue('wml_name')")


def test_a_marker_with_a_mistake(run):
    """Fails the collection, as in a run that was active before."""
    assert run("import pytest\n@pytest.mark.wml(cassete='x')\ndef test_one(): pass", errors=1)


def test_a_contract_file(run, pytester):
    """Active: its tests need IBM's client."""
    (pytester.path / "digits.wml.yaml").write_text("classes:\n- {input: digits, sample: 5, class: 5}\n")
    assert run("", errors=1)


def test_a_worker_of_xdist(run):
    """The controller collects no tests: it becomes active by what the workers report."""
    assert run("import pytest\n@pytest.mark.wml(live_only=True)\ndef test_one(): pass", "-n1", skipped=1)
