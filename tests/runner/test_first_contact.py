"""No way to IBM is open in an offline run, from the first conftest to the last hook."""

from __future__ import annotations

import re
import textwrap

import pytest

HOST = "eu-de.ml.cloud.ibm.com"
REFUSED = f"*A connection to {HOST} was refused: it would leave this process for IBM.*"
_LOUD = ("recording", "hypothesispytest", "anyio", "socket", "time_machine", "rerunfailures")
QUIET = [f"-pno:{name}" for name in _LOUD]
"""Plugins of this environment that the tests do not need."""

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


@pytest.fixture
def run(pytester):
    """Runs pytest in a process of its own, on a test file."""

    def run(tests: str, *arguments: str, conftest: str = "", **more: str) -> pytest.RunResult:
        for file, text in {"test_it": tests, "conftest": conftest, **more}.items():
            (pytester.path / f"{file}.py").write_text(_file(text), encoding="utf-8")
        return pytester.runpytest_subprocess("-rA", *QUIET, *arguments)

    return run


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


def test_no_way_out_is_open(run):
    """Each is refused in the test that asks, in a fixture's setup and teardown, and at import; this machine is not."""
    ways = "".join(f"    def test_way_{number}():\n        {way}\n\n" for number, way in enumerate(WAYS.values()))
    result = run(
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
    result.assert_outcomes(passed=2, failed=len(WAYS), errors=3)
    told = result.stdout.str().partition("= FAILURES =")[2]
    for number in range(len(WAYS)):
        refused = f"(A connection to {HOST} was refused|A child process was refused a connection to {HOST})"
        assert re.search(rf"_ test_way_{number} _+\n(as above: )?{refused}", told)
    result.stdout.fnmatch_lines(["*ERROR collecting test_import.py*", REFUSED])
    result.stdout.fnmatch_lines_random(["ERROR test_it.py::test_setup*", "ERROR test_it.py::test_teardown*"])


def test_requests_are_answered(run):
    """The library is taken over when the test imports it."""
    result = run(
        """
        def test_asks():
            import requests
            requests.get(f"https://{HOST}/ml/v4/models")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GET /ml/v4/models*", "*replay: 1 requests answered, live calls: 0*"])


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
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([REFUSED])


def test_a_fixture_that_asks_when_it_ends(run):
    """The test after which it ends."""
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
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([REFUSED, "ERROR test_it.py::test_one*"])


def test_the_last_hooks_of_others(run):
    """What asks when everything has ended still fails the run."""
    result = run("def test_one(): pass", conftest="def pytest_unconfigure(): ask()")
    result.assert_outcomes(passed=1)
    assert f"{HOST} was refused" in result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_workers_of_xdist(run):
    """Each refuses for itself, and the controller reports it."""
    result = run("def test_asks(): ask()\ndef test_other(): pass", "-n2", conftest="def pytest_sessionfinish(): ask()")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([REFUSED, "outside any test:*"])


def test_everything_is_put_back(pytester):
    """Neither a patch nor a variable nor a folder is left, after the run."""
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
    result = pytester.runpython_c(
        f"import sys, os; os.environ['TMPDIR'] = {str(pytester.path)!r};"
        f" sys.argv[1:] = {['-pno:cacheprovider', *QUIET, 'inner.py']!r}; exec(open('outer.py').read())"
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


def test_fixtures_of_a_plugin_that_a_conftest_names(pytester):
    """They override ours, as a conftest's own do."""
    pytester.makepyfile(mine="import pytest\n\n@pytest.fixture\ndef wml_digits():\n    return 'mine'\n")
    pytester.makeconftest("pytest_plugins = ['mine']")
    pytester.makepyfile("def test_one(wml_digits): assert wml_digits == 'mine'")
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=1)
