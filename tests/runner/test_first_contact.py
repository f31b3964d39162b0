"""A run begins with the first contact with WML, whatever that is, and is then as if it had begun at once."""

from __future__ import annotations

import re
import textwrap

import pytest

HOST = "eu-de.ml.cloud.ibm.com"
REFUSED = f"*A connection to {HOST} was refused: it would leave this process for IBM.*"
_LOUD = ("recording", "hypothesispytest", "anyio", "socket", "time_machine", "rerunfailures")
QUIET = [f"-pno:{name}" for name in _LOUD]
"""Plugins of this environment that load what leads to IBM: with them a run begins at once."""
AT_ONCE = "--wml=replay"

HEADER = f"""
    import os, socket, subprocess, sys, threading
    import pytest

    HOST = {HOST!r}
    CHILD = [sys.executable, "-c", f"import socket; socket.getaddrinfo({{HOST!r}}, 443)"]

    def ask(host=HOST):
        try:
            socket.getaddrinfo(host, 443)
        except Exception:  # as IBM's client swallows it
            pass
"""


@pytest.fixture(autouse=True)
def _not_on_github(monkeypatch):
    """Where a run begins at once, as there is more to tell of it."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def running(pytester, *begins: str):
    """Runs pytest in a process of its own, on a test file whose run has begun at once or not."""

    def run(tests: str, *arguments: str, conftest: str = "", **more: str) -> pytest.RunResult:
        for file, text in {"test_it": tests, "conftest": conftest, **more}.items():
            (pytester.path / f"{file}.py").write_text(_file(text), encoding="utf-8")
        begun = f"""
            BEGUN = "pytest_wml.runner.session" in sys.modules

            def test_begun():
                assert BEGUN is {bool(begins)}
        """
        (pytester.path / "test_a.py").write_text(_file(begun), encoding="utf-8")
        return pytester.runpytest_subprocess("-rA", *QUIET, *begins, *arguments)

    return run


@pytest.fixture
def run(pytester):
    """A run that begins with the first contact."""
    return running(pytester)


@pytest.fixture
def run_at_once(pytester):
    """A run that has begun when the first test is collected."""
    return running(pytester, AT_ONCE)


def _file(text: str) -> str:
    return textwrap.dedent(HEADER) + textwrap.dedent(text)


WAYS = {
    "a look-up": "socket.getaddrinfo(HOST, 443)",
    "an older look-up": "socket.gethostbyname(HOST)",
    "a connection": "socket.create_connection((HOST, 443))",
    "a name imported early": "from_conftest.create_connection((HOST, 443))",
    "a socket": "socket.socket().connect((HOST, 443))",
    "a proxy": "os.environ.update(https_proxy='http://127.0.0.1:9');"
    " __import__('urllib.request').request.urlopen(f'https://{HOST}/')",
    "a thread": "[thread.start() or thread.join() for thread in [threading.Thread(target=ask)]]",
    "a fork": "os.fork() or (ask(), os._exit(0)); os.wait()",
    "a child": "assert subprocess.run(CHILD).returncode",
    "a child with an early environment": "assert subprocess.run(CHILD, env=from_conftest.ENVIRONMENT).returncode",
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out_is_open_before_it(run, way):
    """Whatever asks first is refused, in the test that asks and in no other."""
    conftest = """
        from socket import create_connection
        ENVIRONMENT = {**os.environ, "MINE": "1"}
        sys.modules["from_conftest"] = sys.modules[__name__]
    """
    result = run(
        f"""
        import from_conftest

        def test_before(): pass

        def test_asks():
            {WAYS[way]}

        def test_after(): pass
        """,
        conftest=conftest,
    )
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([f"*{HOST} *was refused*", "FAILED test_it.py::test_asks*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_requests_are_answered_from_then_on(run):
    """The library is taken over when the test imports it."""
    result = run(
        """
        def test_asks():
            import requests
            requests.get(f"https://{HOST}/ml/v4/models")
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GET /ml/v4/models*", "*replay: 1 requests answered, live calls: 0*"])


def test_a_module_that_asks_when_it_is_imported(run):
    """The module cannot be collected."""
    result = run("ask()\ndef test_one(): pass", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting test_it.py*", REFUSED])


def test_a_conftest_that_asks_when_it_is_imported(run):
    """Nothing can be collected."""
    result = run("def test_one(): pass", conftest="ask()")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting test session*", REFUSED])


def test_a_fixture_that_asks(run):
    """Setup: every test that uses it. Teardown: the one after which it ends."""
    result = run(
        """
        @pytest.fixture(scope="module")
        def asking():
            ask()

        def test_one(asking): pass
        def test_two(asking): pass
        """
    )
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines([REFUSED])


def test_a_fixture_that_asks_when_it_ends(run):
    """The turn that began before the run did ends after it."""
    result = run(
        """
        @pytest.fixture(scope="module")
        def outer():
            yield
            ask()

        @pytest.fixture(scope="module")
        def inner(outer):
            yield

        def test_one(inner): pass
        """
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([REFUSED, "ERROR test_it.py::test_one*"])


def test_the_last_hooks_of_others(run):
    """What asks when everything has ended still fails the run."""
    result = run("def test_one(): pass", conftest="def pytest_unconfigure(): ask()")
    result.assert_outcomes(passed=2)
    assert f"{HOST} was refused" in result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_workers_of_xdist(run):
    """Each begins for itself, and the controller hears of it."""
    result = run("def test_asks(): ask()\ndef test_other(): pass", "-n2", conftest="def pytest_sessionfinish(): ask()")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([REFUSED, "outside any test:*"])


def test_other_hosts_are_reached(run):
    """A server of this machine is, also by the connection with which the run begins."""
    result = run(
        """
        def test_asks():
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
        """
    )
    result.assert_outcomes(passed=2)


@pytest.mark.slow
def test_at_once_every_way_is_closed_too(run_at_once):
    """Each is refused in the test that asks, in a fixture's setup and teardown, and at import; this machine is not."""
    ways = "".join(f"    def test_way_{number}():\n        {way}\n\n" for number, way in enumerate(WAYS.values()))
    result = run_at_once(
        f"""
    import from_conftest

    @pytest.fixture(autouse=True)
    def _same_environment():
        before = dict(os.environ)
        yield
        os.environ.clear()
        os.environ.update(before)

{ways}
    @pytest.fixture
    def asking():
        ask()

    @pytest.fixture
    def asking_at_its_end():
        yield
        ask()

    def test_setup(asking): pass
    def test_teardown(asking_at_its_end): pass

    def test_here():
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        """,
        "--continue-on-collection-errors",
        conftest="""
        from socket import create_connection
        ENVIRONMENT = {**os.environ, "MINE": "1"}
        sys.modules["from_conftest"] = sys.modules[__name__]
        """,
        test_import="ask()\ndef test_one(): pass",
    )
    result.assert_outcomes(passed=3, failed=len(WAYS), errors=3)
    told = result.stdout.str().partition("= FAILURES =")[2]
    for number in range(len(WAYS)):
        refused = f"(A connection to {HOST} was refused|A child process was refused a connection to {HOST})"
        assert re.search(rf"_ test_way_{number} _+\n(as above: )?{refused}", told)
    result.stdout.fnmatch_lines(["*ERROR collecting test_import.py*", REFUSED])
    result.stdout.fnmatch_lines_random(["ERROR test_it.py::test_setup*", "ERROR test_it.py::test_teardown*"])


@pytest.mark.slow
def test_at_once_a_conftest_that_asks(run_at_once):
    """Nothing can be collected."""
    result = run_at_once("def test_one(): pass", conftest="ask()")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting test session*", REFUSED])


@pytest.mark.slow
def test_at_once_workers_and_the_last_hooks(run_at_once):
    """A worker's test, its session's end, and what asks when everything has ended."""
    hooks = "def pytest_sessionfinish(): ask()\ndef pytest_unconfigure(): ask()"
    result = run_at_once("def test_asks(): ask()\ndef test_other(): pass", "-n2", conftest=hooks)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([REFUSED, "outside any test:*"])


def test_everything_is_put_back(pytester):
    """Neither a patch nor a variable nor a folder is left, whether the run began or not."""
    pytester.makepyfile(
        inner="def test_one(): pass",
        outer="""
        import _socket, os, socket, sys, tempfile
        import pytest

        def state():
            names = _socket.getaddrinfo, socket.gethostbyname, socket.create_connection, socket.socket.connect
            return names, dict(os.environ), list(sys.meta_path), os.listdir(tempfile.gettempdir())

        os.environ.pop("PYTEST_CURRENT_TEST", None)  # pytest takes it away
        before = state()
        assert pytest.main(sys.argv[1:]) == 0
        after = state()
        assert after[0] == before[0]
        assert after[1] == before[1], after[1].items() ^ before[1].items()
        assert [each for each in after[2] if "wml" in type(each).__module__] == []
        assert [each for each in after[3] if each.startswith("pytest-wml-guard") and each not in before[3]] == []
        """,
    )
    for more in ([], [AT_ONCE]):
        result = pytester.runpython_c(
            f"import sys, os; os.environ['TMPDIR'] = {str(pytester.path)!r};"
            f" sys.argv[1:] = {['-pno:cacheprovider', *QUIET, *more, 'inner.py']!r}; exec(open('outer.py').read())"
        )
        assert result.ret == 0, result.stderr.str()


def test_runs_inside_a_run(pytester):
    """Each begins for itself, though pytester takes the modules that a run loaded out of sys.modules after it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_inner(pytester, number):
            pytester.makepyfile("def test_asks():\\n import requests\\n requests.get('https://HOST/ml/v4/models')")
            result = pytester.runpytest_inprocess("-pno:cacheprovider")
            result.assert_outcomes(failed=1)
            result.stdout.fnmatch_lines(["*GET /ml/v4/models*", "*replay: 1 requests answered, live calls: 0*"])
        """.replace("HOST", HOST)
    )
    result = pytester.runpytest_subprocess("-ppytester", *QUIET)
    result.assert_outcomes(passed=2)


def test_modules_that_a_suite_takes_away_again(pytester):
    """Where the run begins inside `patch.dict(sys.modules)`, its modules stay the ones that it began with."""
    pytester.makeconftest(
        """
        import socket, sys
        from unittest import mock

        with mock.patch.dict(sys.modules, {"pyspark": object()}):
            socket.getaddrinfo("localhost", 80)
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.wml(not_in_replay=True)
        def test_skipped():
            assert False

        def test_nothing_recorded(wml_deployment):
            pass
        """
    )
    result = pytester.runpytest_subprocess(*QUIET)
    result.assert_outcomes(skipped=1, errors=1)
    result.stdout.fnmatch_lines(["*Nothing was recorded for the deployment mnist_cnn*"])


def test_modules_that_a_suite_exchanges(pytester):
    """A module of ours that comes while another one goes is the same after `sys.modules` is put back."""
    pytester.makepyfile(
        """
        import sys
        import types

        sys.modules["theirs"] = types.ModuleType("theirs")
        first, before = [], []

        def test_begins(wml_digits):
            pass

        def test_exchanges():
            before.append(dict(sys.modules))
            del sys.modules["theirs"]
            assert "pytest_wml.tools.usage" not in sys.modules
            import pytest_wml.tools.usage

            first.append(pytest_wml.tools.usage)

        def test_puts_back():
            for name in sys.modules.keys() - before[0].keys():
                del sys.modules[name]

        def test_has_the_same():
            assert sys.modules["pytest_wml.tools.usage"] is first[0]
        """
    )
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=4)


def test_fixtures_of_a_plugin_that_a_conftest_names(pytester):
    """They override ours, as a conftest's own do."""
    pytester.makepyfile(mine="import pytest\n\n@pytest.fixture\ndef wml_digits():\n    return 'mine'\n")
    pytester.makeconftest("pytest_plugins = ['mine']")
    pytester.makepyfile("def test_one(wml_digits): assert wml_digits == 'mine'")
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=1)
