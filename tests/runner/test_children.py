"""A run in which child processes, or what comes after the last test, try to reach IBM fails, and says who it was."""

from __future__ import annotations

import os

import pytest

ASK = """
    import subprocess, sys

    CODE = '''
    try:
        import urllib.request
        urllib.request.urlopen("https://us-south.ml.cloud.ibm.com/ml/v4/models", timeout=5)
    except Exception:
        print("swallowed")
    '''

    def ask():
        import textwrap
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], capture_output=True, text=True, timeout=60)
        assert "swallowed" in done.stdout
"""
HEARD = "A child process was refused a connection to us-south.ml.cloud.ibm.com"
HERE = """
    import socket
    def look_up():
        try:
            socket.getaddrinfo("us-south.ml.cloud.ibm.com", 443)
        except Exception:
            pass
"""


@pytest.fixture
def asking(pytester):
    """Something to import, that asks in a child process and swallows what becomes of it."""
    pytester.makepyfile(asking=ASK, here=HERE)
    pytester.syspathinsert()
    return pytester


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_the_test_that_started_it_fails(asking, workers):
    """By name, though the child swallowed the error and the test itself passes; its neighbour passes."""
    asking.makepyfile("import asking\n\ndef test_asks(): asking.ask()\n\ndef test_does_not(): pass\n")
    result = asking.runpytest_inprocess("-n", workers)
    result.assert_outcomes(passed=1, failed=1)
    text = result.stdout.str()
    assert HEARD in text
    assert "started by: test_the_test_that_started_it_fails.py::test_asks" in text


def test_a_session_fixtures_child(asking):
    """The test for which the fixture was made does not pass."""
    asking.makepyfile(
        """
        import asking, pytest

        @pytest.fixture(scope="session")
        def service():
            asking.ask()

        def test_one(service): pass
        """
    )
    result = asking.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    assert HEARD in result.stdout.str()


def test_a_child_at_import(asking):
    """The module is not collected."""
    asking.makepyfile("import asking\nasking.ask()\ndef test_one(): pass\n")
    result = asking.runpytest_inprocess()
    assert result.ret != 0
    result.assert_outcomes(errors=1)
    assert HEARD in result.stdout.str()


LATE = {
    "plain": "def pytest_sessionfinish(): look_up()",
    "last": "@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(): look_up()",
    "around": "@pytest.hookimpl(wrapper=True)\ndef pytest_sessionfinish():\n    yield\n    look_up()",
    "outermost": "@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish():\n    yield\n    look_up()",
    "summary": "def pytest_terminal_summary(): look_up()",
    "unconfigure": "def pytest_unconfigure(): look_up()",
    "very last": "@pytest.hookimpl(trylast=True)\ndef pytest_unconfigure(): look_up()",
}


HERE_ITSELF, A_CHILD = "here import look_up", "asking import ask as look_up"


@pytest.mark.parametrize(
    ("who", "late"), [*((HERE_ITSELF, late) for late in LATE), (A_CHILD, "plain"), (A_CHILD, "very last")]
)
def test_what_asks_after_the_last_test(asking, late, who):
    """From whichever hook: the run fails, and names the host."""
    asking.makeconftest(f"import pytest\nfrom {who}\n\n{LATE[late]}\n")
    asking.makepyfile("def test_one(): pass")
    result = asking.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "outside any test: A c" in result.stdout.str()
    assert "connection to us-south.ml.cloud.ibm.com" in result.stdout.str()


@pytest.mark.parametrize("late", ["plain", "very last"])
def test_a_workers_session_end(asking, late):
    """In an xdist worker too, also when its report has been sent."""
    hook = LATE[late].replace("look_up()", "'PYTEST_XDIST_WORKER' in os.environ and look_up()")
    asking.makeconftest(f"import os\nimport pytest\nfrom here import look_up\n\n{hook}\n")
    asking.makepyfile("def test_one(): pass")
    result = asking.runpytest_inprocess("-n", "1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "connection to us-south.ml.cloud.ibm.com" in result.stdout.str()


def test_cloud_object_storage_neither(asking):
    """ibm_boto3 talks to IBM by urllib3, which the door carries: nothing answers, the test fails."""
    asking.makepyfile(
        """
        import ibm_boto3

        def test_boto():
            storage = ibm_boto3.client(
                "s3",
                endpoint_url="https://s3.us-south.cloud-object-storage.appdomain.cloud",
                aws_access_key_id="an-id",
                aws_secret_access_key="a-secret",
            )
            try:
                storage.list_buckets()
            except Exception:
                pass
        """
    )
    result = asking.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    assert "No recording answers this request." in result.stdout.str()


def test_a_live_run_guards_nobody(asking):
    """Its children are its own affair, and its environment is as it was."""
    asking.makepyfile("import os\n\ndef test_one(): assert 'PYTEST_WML_GUARD' not in os.environ\n")
    before = {name: os.environ.pop(name, None) for name in ("PYTEST_WML_GUARD", "PYTHONPATH")}
    try:
        asking.runpytest_inprocess("--wml=live", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    finally:
        os.environ.update({name: value for name, value in before.items() if value is not None})


def test_the_environment_is_as_it_was(asking):
    """After a run, to the letter."""
    asking.makepyfile("import os\n\ndef test_one(): assert 'PYTEST_WML_GUARD' in os.environ\n")
    before = {**os.environ, "PYTEST_CURRENT_TEST": ""}
    asking.runpytest_inprocess().assert_outcomes(passed=1)
    assert {**os.environ, "PYTEST_CURRENT_TEST": ""} == before
