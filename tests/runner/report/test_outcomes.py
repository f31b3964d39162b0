"""The headline of a report is pytest's, also for tests that have nothing to do with WML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from pytest_wml.runner.report.run_report import RunReport

EVERY_KIND = """
    import unittest

    import pytest

    @pytest.fixture
    def broken():
        raise RuntimeError("the fixture is broken")

    @pytest.fixture
    def broken_later():
        yield
        raise RuntimeError("the teardown is broken")

    def test_fails():
        assert "one" == "other"

    def test_has_a_broken_fixture(broken):
        pass

    def test_ends_badly(broken_later):
        pass

    def test_passes():
        pass

    @pytest.mark.skip(reason="not today")
    def test_is_skipped():
        pass

    @pytest.mark.xfail
    def test_is_expected_to_fail():
        assert False

    @pytest.mark.xfail
    def test_surprises():
        pass

    @pytest.mark.xfail(strict=True)
    def test_surprises_strictly():
        pass

    class TestParts(unittest.TestCase):
        def test_parts(self):
            for part in range(2):
                with self.subTest(part=part):
                    assert part == 0

    def test_is_deselected():
        pass
"""


def headline(pytester) -> str:
    """That of the written page."""
    return re.search("<h1>(.*?)</h1>", (pytester.path / "out" / "index.html").read_text())[1]


def last_line(result) -> str:
    """The counts in pytest's last line."""
    counted = re.sub(r", \d+ warnings?|\d+ warnings?, ", "", result.outlines[-1])
    return re.search(r"=+ (.*) in [\d.]+s.* =+", counted)[1]


def ran(pytester, *arguments: str, workers: str = "0"):
    quiet = ("-p", "no:randomly", "-p", "no:cacheprovider")
    return pytester.runpytest_inprocess("--wml-report=out", "-n", workers, *quiet, *arguments)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_the_counts_are_those_of_pytests_last_line(pytester, workers):
    """Failures, errors in fixtures and teardown, skips, surprises, subtests, deselected tests; no WML in sight."""
    pytester.makepyfile(test_all=EVERY_KIND)
    deselect = [] if workers != "0" else ["--deselect=test_all.py::test_is_deselected"]
    result = ran(pytester, *deselect, workers=workers)
    assert headline(pytester) == last_line(result).capitalize()
    assert "error" in headline(pytester)


def test_what_failed_comes_first_and_is_open(pytester):
    """Every test that failed, with why, before anything else."""
    pytester.makepyfile(test_all=EVERY_KIND)
    ran(pytester)
    page = (pytester.path / "out" / "index.html").read_text()
    failed = re.findall(r'<details class="card failure" open>.*?<code class="name">.*?::(\w+)</code>', page)
    assert failed == [
        *("test_fails", "test_has_a_broken_fixture", "test_ends_badly", "test_surprises_strictly", "test_parts"),
    ]
    assert page.index("<h2") == page.index('<h2 id="failures">Failed</h2>')
    for why in ("assert &#x27;one&#x27; == &#x27;other&#x27;", "the fixture is broken", "the teardown is broken"):
        assert why in page
    assert 'data-state="broken"><p class="product">' in page


def test_a_module_that_cannot_be_collected(pytester):
    """Is an error, as pytest counts it, and is shown first."""
    pytester.makepyfile(test_one="import nowhere_to_be_found", test_two="def test_two(): pass")
    result = ran(pytester)
    assert last_line(result) == "1 error"
    assert headline(pytester) == "Run not finished: 1 error"
    page = (pytester.path / "out" / "index.html").read_text()
    assert '<code class="name">test_one.py</code>' in page
    assert "nowhere_to_be_found" in page
    assert "not every module could be collected" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-k", "nothing"], "No tests ran (2 deselected)"),
        (["empty"], "No tests ran"),
        (["-x"], "Run not finished: 1 failed"),
        (["--maxfail=5"], "1 failed, 1 passed"),
    ],
)
def test_runs_that_end_otherwise(pytester, arguments, told):
    """No test that ran is no success: pytest's exit status is 5."""
    pytester.makepyfile(test_two="def test_one(): assert False\ndef test_two(): pass")
    pytester.mkdir("empty")
    result = ran(pytester, *arguments)
    assert headline(pytester) == told
    assert result.ret != 0
    assert '<header data-state="broken">' in (pytester.path / "out" / "index.html").read_text()


def test_a_run_that_passes_is_green(pytester):
    """Also one that checked no contract."""
    pytester.makepyfile("def test_one(): pass")
    ran(pytester)
    assert headline(pytester) == "1 passed"
    assert '<header data-state="held">' in (pytester.path / "out" / "index.html").read_text()


def test_the_summary_of_a_job_has_the_same_headline(suite, monkeypatch):
    """With every test that failed, whether or not it used WML; JUnit counts the same."""
    suite.makepyfile(test_other="def test_one(): assert 1 == 2\ndef test_two(broken): pass")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "summary.md"))
    monkeypatch.setenv("CI", "")
    result = ran(suite, "--junitxml=junit.xml")
    summary = (suite.path / "summary.md").read_text()
    assert summary.startswith("### 2 failed, 2 passed, 1 error\n")
    assert last_line(result) == "2 failed, 2 passed, 1 error"
    rows = [line.split(" | ")[0] for line in summary.splitlines() if "<code>test" in line and line.startswith("| ")]
    assert rows == ["| failed", "| failed", "| error"]
    assert "assert 1 == 2" in summary
    junit = ET.parse(suite.path / "junit.xml").find("testsuite")
    assert (junit.get("failures"), junit.get("errors"), junit.get("tests")) == ("2", "1", "5")


def report(**told) -> RunReport:
    return RunReport(mode="replay", chosen_by="default", at="", versions={}, **told)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"counts": {"passed": 3, "failed": 1, "error": 2}, "ran": 6, "exit_status": 1},
            "1 failed, 3 passed, 2 errors",
        ),
        ({"counts": {"passed": 3, "rerun": 1}, "ran": 3}, "3 passed, 1 rerun"),
        ({"counts": {"passed": 3}, "ran": 3, "exit_status": 1}, "Run failed (exit status 1): 3 passed"),
        ({"counts": {"skipped": 2}, "ran": 2}, "2 skipped"),
        ({"exit_status": 5}, "No tests ran"),
        ({"exit_status": 2, "stopped": "Ctrl-C"}, "Run not finished: no tests ran"),
        ({"exit_status": 3, "stopped": "x", "counts": {"passed": 1}, "ran": 1}, "Run not finished: 1 passed"),
    ],
)
def test_a_headline(told, line):
    """In pytest's words and order; words of plugins come last."""
    assert report(**told).headline == line
    assert report(**told).passed == (not told.get("exit_status"))
