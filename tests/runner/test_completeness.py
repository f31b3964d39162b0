"""Which runs are complete: only they show which recordings are unused, and only they replace what others recorded."""

from __future__ import annotations

import pytest

from pytest_wml.replay.cassette.suite_part import SuitePart
from pytest_wml.runner.activation import RUN
from pytest_wml.runner.completeness import extent

TOP = "def test_top(): pass"
SUB = "def test_a(): pass\ndef test_b(): pass"


class Observer:
    """A plugin that notes how much of a suite ran."""

    def pytest_sessionfinish(self, session):
        self.extent = extent(session, session.config.stash[RUN].results.executed)


@pytest.fixture
def suite(pytester):
    """Tests in the root folder and below it."""
    pytester.makepyfile(test_top=TOP)
    pytester.makepyfile(**{"sub/test_sub": SUB})
    pytester.makeini("[pytest]\nmarkers = rare\n")
    return pytester


def run(suite, *arguments, folder="."):
    """How much of a suite a run ran that was started in a folder."""
    observer = Observer()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(suite.path / folder)
        suite.inline_run("-p", "no:randomly", *arguments, plugins=[observer])
    return observer.extent


@pytest.mark.parametrize("arguments", [[], ["."], ["--ff"], ["--nf"], ["-x"], ["-p", "no:cacheprovider"]], ids=str)
def test_a_run_of_everything_is_complete(suite, arguments):
    """Started in the root folder without a selection; another order is not a selection."""
    assert run(suite, *arguments) == (SuitePart.ALL, "")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["sub"], ["test_top.py"], ["sub/test_sub.py::test_a"], ["--pyargs", "sub"], ["--rootdir=..", "sub"]),
        *(["-k", "top"], ["-m", "not rare"], ["-xm", "not rare"], ["--lf"], ["--sw"]),
        *(["--deselect", "sub"], ["--ignore=sub"], ["--ignore-glob=*sub*"], ["--noconftest"]),
        *(["--collect-only"], ["--setup-plan"], ["-o", "python_files=test_t*.py"], ["-c", "tox.ini"]),
    ],
    ids=" ".join,
)
def test_whoever_chooses_tests_has_no_complete_run(suite, arguments):
    """By path, id, expression, an earlier result or a setting of the command line: others may need a recording."""
    assert run(suite, *arguments).part is SuitePart.CHOSEN


def test_a_run_in_a_subfolder_is_not_complete(suite):
    """pytest collects below the current folder only, whatever the root folder is; the parent folder may be named."""
    assert run(suite, folder="sub") == (SuitePart.CHOSEN, "it ran sub only")
    assert run(suite, "..", folder="sub").part is SuitePart.ALL


TESTPATHS = [
    ([], ".", SuitePart.ALL),
    (["sub"], ".", SuitePart.ALL),
    ([], "sub", SuitePart.ALL),
    ([], "sub/deep", SuitePart.CHOSEN),
    (["test_top.py"], ".", SuitePart.CHOSEN),
]


@pytest.mark.parametrize(("arguments", "folder", "part"), TESTPATHS)
def test_testpaths_say_what_everything_is(suite, arguments, folder, part):
    """The project's tests are those below its testpaths, however they are named."""
    suite.makeini("[pytest]\ntestpaths = sub\n")
    suite.makepyfile(**{"sub/deep/test_deep": TOP})
    assert run(suite, *arguments, folder=folder).part is part


CONFIGURED = {
    "addopts = -k top": SuitePart.USUAL,
    "addopts = -m 'not rare'": SuitePart.ALL,
    "addopts = -m rare": SuitePart.USUAL,
    "addopts = --ignore=sub": SuitePart.USUAL,
    "addopts = test_top.py": SuitePart.USUAL,
    "addopts = test_top.py sub": SuitePart.ALL,
    "norecursedirs = sub": SuitePart.ALL,
    "python_files = test_t*.py": SuitePart.ALL,
}


@pytest.mark.parametrize(("line", "part"), CONFIGURED.items(), ids=CONFIGURED)
def test_a_selection_of_the_ini_is_the_usual_run(suite, line, part):
    """It is complete only if it leaves out no test that pytest would find."""
    suite.makeini(f"[pytest]\nmarkers = rare\n{line}\n")
    assert run(suite).part is part


LEFT_OUT = {
    "a failed test": "def test_one(): assert 0",
    "a skipped test": "import pytest\n@pytest.mark.skip\ndef test_one(): pass",
    "an expected failure": "import pytest\n@pytest.mark.xfail\ndef test_one(): assert 0",
    "a module that skips itself": "import pytest\npytest.importorskip('nowhere')\ndef test_one(): pass",
    "a module that cannot be imported": "import nowhere",
    "an exit as if all was well": "import pytest\ndef test_0(): pytest.exit('', returncode=0)\ndef test_1(): pass",
}


@pytest.mark.parametrize("code", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_test_that_did_not_run_to_its_end_makes_a_run_incomplete(suite, code):
    """Nobody knows what it would have asked."""
    suite.makepyfile(**{"sub/test_more": code})
    assert run(suite).part is SuitePart.USUAL


def test_a_run_that_stops_at_the_first_failure_is_not_complete(suite):
    """What would have come later has not asked."""
    suite.makepyfile(test_a="def test_a(): assert 0")
    assert run(suite, "-x") == (SuitePart.CHOSEN, "the run was stopped early")


def test_a_test_file_that_a_conftest_ignores_is_named(suite):
    """On another machine it may be collected; a folder in norecursedirs, or a virtual environment, holds no tests."""
    suite.makeconftest("collect_ignore = ['sub']")
    assert run(suite) == (SuitePart.USUAL, "sub/test_sub.py was not collected")
    suite.makepyfile(**{"environment/test_other": TOP})
    (suite.path / "environment" / "pyvenv.cfg").touch()
    suite.makeini("[pytest]\nnorecursedirs = sub\n")
    assert run(suite).part is SuitePart.ALL


def test_a_test_that_a_conftest_takes_out_is_missed(suite):
    """It need not tell pytest that it deselects."""
    suite.makeconftest("def pytest_collection_modifyitems(items): del items[1:]")
    assert run(suite) == (SuitePart.USUAL, "tests were deselected or skipped")


def test_a_run_without_tests_is_not_complete(pytester):
    """An empty suite does not retire its recordings."""
    assert run(pytester) == (SuitePart.USUAL, "no tests were collected")


@pytest.mark.slow
def test_workers_tell_what_they_ran(suite):
    """Under xdist the processes together run everything, or leave something out."""
    assert run(suite, "-n", "2").part is SuitePart.ALL
    suite.makepyfile(test_top="import pytest\n@pytest.mark.skip\ndef test_top(): pass")
    assert run(suite, "-n", "2") == (SuitePart.USUAL, "tests were deselected or skipped")
