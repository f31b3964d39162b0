"""Recordings that are too old or that nobody asks for are reported, never re-recorded by themselves."""

from __future__ import annotations

import datetime
import json

import pytest

from pytest_wml.interception.request_counts import PlayedCassette, Tally
from pytest_wml.replay.cassette.file import Cassette, dump, load, write
from pytest_wml.runner.staleness import expired
from pytest_wml.tools.cli import main


def age(path, days_ago="2001-01-01"):
    """Date a recording back."""
    cassette = load(path)
    write(path, dump(Cassette(cassette.name, {**cassette.metadata, "recorded_at": days_ago}, cassette.interactions)))


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_an_old_recording_is_a_warning_here_and_a_failure_in_ci(pytester, recorded_project, monkeypatch, workers):
    """Locally somebody else's old recording must not stop me; in CI it must be seen."""
    age(recorded_project.cassette)
    monkeypatch.delenv("CI", raising=False)
    arguments = ["-n", workers, "-o", "wml_max_age=90"]
    result = pytester.runpytest_inprocess(*arguments)
    result.stdout.fnmatch_lines(["tiny.yaml was recorded * days ago, 90 are allowed: record it again*"])
    assert result.ret == 0
    monkeypatch.setenv("CI", "true")
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=6)
    assert result.ret == 1


def test_a_recording_is_too_old_from_the_day_after_the_last_one_allowed():
    """Of ninety days, the ninetieth still counts."""
    played = PlayedCassette(recorded_at="2026-01-01", recorded_from="live", model="", played={"asked"})
    tally = Tally(cassettes={"tiny": played})
    last = datetime.date(2026, 1, 1) + datetime.timedelta(days=90)
    assert list(expired(tally, 90, last)) == []
    (found,) = expired(tally, 90, last + datetime.timedelta(days=1))
    assert found.text.startswith("tiny.yaml was recorded 91 days ago, 90 are allowed")


def test_without_a_limit_any_age_is_fine(pytester, recorded_project, monkeypatch):
    """Nobody asked for a limit."""
    age(recorded_project.cassette)
    monkeypatch.setenv("CI", "true")
    result = pytester.runpytest_inprocess()
    assert result.ret == 0
    assert "are allowed" not in result.stdout.str()


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_what_no_test_asks_for_is_reported(pytester, recorded_project, workers):
    """A test was deleted: its answers are still in the recording."""
    text = (recorded_project.folder / "test_model.py").read_text()
    (recorded_project.folder / "test_model.py").write_text(text.replace("range(4)", "range(2)"))
    result = pytester.runpytest_inprocess("-n", workers)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "tiny.yaml contains requests that no test sends: "
            "POST */predictions, POST */predictions (pytest-wml cassette prune)"
        ]
    )


def test_an_orphan_is_reported(pytester, recorded_project):
    """The test of a recording is gone, the file is not."""
    cassette = load(recorded_project.cassette)
    scorings = tuple(interaction for interaction in cassette.interactions if interaction.scores)[:1]
    orphan = [one.__class__(**{**one.__dict__, "identity": "f" * 32}) for one in scorings]
    write(recorded_project.cassette.with_name("gone.yaml"), dump(Cassette("gone", cassette.metadata, tuple(orphan))))
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["gone.yaml is used by no test: delete it, or run its tests"])


def test_a_partial_run_reports_nothing_unused(pytester, recorded_project):
    """Whoever runs one test did not retire the others; test_completeness.py names all ways to choose."""
    result = pytester.runpytest_inprocess("test_model.py::test_the_deployment_is_ready")
    assert result.ret == 0
    assert "no test sends" not in result.stdout.str()


@pytest.fixture
def half_in_a_subfolder(recorded_project):
    """A recorded project with two of its recorded images asked for in a subfolder only; the subfolder."""
    folder = recorded_project.folder / "sub"
    folder.mkdir()
    tests = recorded_project.folder / "test_model.py"
    text = tests.read_text()
    tests.write_text(text.replace("range(4)", "range(2)"))
    (folder / "test_sub.py").write_text(text.split("def test_the_deployment")[0].replace("range(4)", "range(2, 4)"))
    return folder


def test_a_run_in_a_subfolder_reports_nothing_unused(pytester, half_in_a_subfolder, monkeypatch, capsys):
    """Tests outside the subfolder need the rest of the recording; prune has nothing to go by and says why."""
    monkeypatch.chdir(half_in_a_subfolder)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    assert "no test sends" not in result.stdout.str()
    capsys.readouterr()
    assert main(["cassette", "prune", "--yes"]) == 2
    assert "  last replay: not complete: it ran sub only\n" in capsys.readouterr().err
    monkeypatch.chdir(half_in_a_subfolder.parent)
    pytester.runpytest_inprocess().assert_outcomes(passed=7)
    assert main(["cassette", "prune"]) == 0
    assert capsys.readouterr().out.endswith("nothing to prune\n")


@pytest.mark.parametrize("how", ["environment", "command line", "override"])
def test_a_model_chosen_for_this_run_reports_nothing_unused(pytester, recorded_project, monkeypatch, how):
    """The recordings that were not played are those of the project's own model."""
    write(recorded_project.cassette.with_name("usual.yaml"), dump(Cassette("usual")))
    if how == "environment":
        monkeypatch.setenv("WML_NAME", "tiny")
    arguments = {"command line": ["--wml-name=tiny"], "override": ["-o", "wml_name=tiny"]}.get(how, [])
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=6)
    assert "usual.yaml" not in result.stdout.str()


def test_a_failed_run_reports_nothing_unused(pytester, recorded_project):
    """What a failing test did not come to ask may well be needed."""
    with (recorded_project.folder / "test_model.py").open("a") as file:
        file.write("\ndef test_wrong(): assert False\n")
    text = (recorded_project.folder / "test_model.py").read_text()
    (recorded_project.folder / "test_model.py").write_text(text.replace("range(4)", "range(2)"))
    assert "no test sends" not in pytester.runpytest_inprocess().stdout.str()


def test_a_complete_replay_is_what_prune_goes_by(pytester, recorded_project):
    """The identities that were asked for are kept in pytest's cache."""
    pytester.runpytest_inprocess()
    known = json.loads((recorded_project.folder / ".pytest_cache/v/wml/played").read_text())
    assert {one.identity for one in load(recorded_project.cassette).interactions} == set(known["identities"])
    assert list(known["cassettes"]) == ["tiny"]
