"""Progress of long work: a line that is rewritten on a terminal, and silence in a log."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.interception.progress import ProgressReporter
from pytest_wml.runner.progress import ProgressLine, progress_line_on

CASSETTES = Path(__file__).parents[2] / "cassettes"
SUITE = """
    import os, signal
    import pytest
    from pytest_wml.runner import progress

    @pytest.fixture(scope="session")
    def work(pytestconfig):
        with progress.progress_line(pytestconfig, keep=True) as show:
            for step in range(10, 40, 10):
                show(f"step {step} of 30")

    def test_work(work, wml_deployment, wml_digits):
        assert wml_deployment.predict(wml_digits[5]).classes.tolist() == [5]

    def test_check(pytestconfig):
        show = progress.progress_line(pytestconfig)
        show("scored 100 of 300 rows")
        show("scored 300 of 300 rows")

    def test_failing(pytestconfig):
        progress.progress_line(pytestconfig)("half way")
        if "STOP" in os.environ:
            os.kill(os.getpid(), signal.SIGINT)
        assert 0
"""


def on_a_terminal(folder, *arguments: str, **more: str) -> str:
    """What pytest writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **more}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # Linux says so that nobody writes any more
                break
            if not block:
                break
            written += block
        process.wait()
    os.close(ours)
    return written.decode("utf-8", "replace")


def screen(written: str) -> list[str]:
    """The lines that are left on the screen when all was written."""
    lines = []
    for line in written.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


@pytest.fixture
def suite(pytester):
    """Work with progress, in a fixture, in a check and in a test that fails."""
    pytester.makepyfile(test_work=SUITE)
    return pytester


@pytest.mark.slow
def test_a_terminal_shows_one_line_and_ends_it(suite):
    """Each step was there; what is left is what is kept, and pytest's own lines as ever."""
    written = on_a_terminal(suite.path, "--wml=embedded", "--color=no")
    for text in ("step 10 of 30", "step 20 of 30", "mnist_cnn: uploading: ", "mnist_cnn: deploying: ", "scored 100 of"):
        assert f"\r{text}" in written
    assert re.search(r"deploying: initializing → ready, \d+ s", written)
    left = screen(written)
    assert left.count("step 30 of 30") == 1
    assert not [line for line in left if "uploading" in line or "deploying" in line or "scored" in line]
    assert not [line for line in left if "half way" in line and "progress.progress_line" not in line]
    assert [line for line in left if line.startswith("F ") and line.endswith("[100%]")]


@pytest.mark.slow
def test_ctrl_c_ends_the_line(suite):
    """The line is gone before pytest says that it was stopped."""
    left = screen(on_a_terminal(suite.path, "-k", "failing", "--color=no", STOP="1"))
    assert "half way" not in left
    assert [line for line in left if "KeyboardInterrupt" in line]


@pytest.mark.slow
def test_a_dumb_terminal_is_a_log(suite):
    """It may not know how to rewrite a line."""
    written = on_a_terminal(suite.path, "-k", "check", "--color=no", TERM="dumb")
    assert "scored" not in written


def test_a_log_has_what_is_kept_and_nothing_else(suite):
    """One line of the long work; also from a worker, whose output is nobody's."""
    result = suite.runpytest_inprocess("--wml=embedded", "-k", "not failing")
    result.assert_outcomes(passed=2, deselected=1)
    text = result.stdout.str() + result.stderr.str()
    assert text.count("step 30 of 30") == 1
    assert "\r" not in text
    assert not [word for word in ("step 10", "uploading", "deploying", "scored 100") if word in text]


@pytest.mark.slow
def test_a_worker_tells_what_is_kept(suite):
    """On the controller's standard error, with its name."""
    result = suite.runpytest_subprocess("-n", "1", "-o", f"wml_cassettes={CASSETTES}", "-k", "not failing")
    result.assert_outcomes(passed=2)
    assert (result.stdout.str() + result.stderr.str()).count("[gw0] step 30 of 30") == 1


def test_a_long_line_does_not_wrap(monkeypatch):
    """What is wider than the terminal is cut, and what would move the cursor is left out."""
    monkeypatch.setenv("COLUMNS", "20")
    written: list[str] = []
    with ProgressLine(written.append) as show:
        show("x" * 50 + "\x1b[2J")
        show("short\n")
    assert written == ["\r" + "x" * 19, "\r" + "short".ljust(19), "\r      \r"]


def test_a_stream_that_is_no_terminal_is_left_alone():
    """A script's standard error in a file, or closed."""
    stream = io.StringIO()
    with progress_line_on(stream) as show:
        show("step 1")
    assert stream.getvalue() == ""


def test_bytes_are_counted_as_they_leave():
    """Not when the client hands them over: whoever answers reads them block by block."""
    told: list[str] = []
    counts: list[int] = []

    def slow(environ, start_response):
        while environ["wsgi.input"].read(1 << 20):
            counts.append(len(told))
        start_response("201 Created", [])
        return [b"{}"]

    body = io.BytesIO(b"x" * (4 << 20))
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/ml/v4/models/1/content",
        "CONTENT_LENGTH": str(4 << 20),
        "wsgi.input": body,
    }
    watched = ProgressReporter(slow)
    with watched.by(told.append):
        list(watched(dict(environ), lambda *_: None))
    assert counts == sorted(set(counts))
    assert told[-1] == "uploading: 4.2 of 4.2 MB"
    assert len(told) <= 101
