"""The journal of what a live run created: written before, readable after a kill."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.live import resource_journal as journal_
from pytest_wml.live.resource_journal import (
    NoJournal,
    ResourceJournal,
    RunLock,
    UndeletedResource,
    is_alive,
    journaled_runs,
)

FACTS = {"url": "https://us-south.ml.cloud.ibm.com", "space": "s"}


@pytest.fixture
def journal(tmp_path):
    return ResourceJournal(tmp_path / "journal", "0a1b2c3d", FACTS)


def owed(path, run=""):
    return [one for journals in journaled_runs(path / "journal", run) for one in journals.owed]


def test_it_is_written_before_the_answer(journal, tmp_path):
    """What was asked for and never answered is owed, without an id."""
    journal.creating("model", "fraud-x", "test_a")
    (found,) = journaled_runs(tmp_path / "journal")
    assert found.owed == (UndeletedResource("model", "", "fraud-x", "test_a"),)
    assert (found.run, found.url, found.space) == ("0a1b2c3d", FACTS["url"], "s")
    assert found.is_of_here


def test_what_was_deleted_or_refused_is_not_owed(journal, tmp_path):
    """What was created is, with its id."""
    first, second, third = (journal.creating("model", name, "t") for name in "abc")
    journal.made(first, "1")
    journal.made(second, "2")
    journal.refused(third)
    journal.gone("1")
    assert owed(tmp_path) == [UndeletedResource("model", "2", "b", "t")]


def test_where_it_is_is_kept(journal, tmp_path):
    """Another space than the run's, and another service."""
    journal.creating("model", "m", "t", "cpd.example.com", "space-2")
    assert owed(tmp_path) == [UndeletedResource("model", "", "m", "t", "cpd.example.com", "space-2")]


def test_two_journals_of_one_process_keep_apart(journal, tmp_path):
    """A forked process, or a WmlDeployment in a test, writes to the same file: nothing of the first is lost."""
    forked = ResourceJournal(tmp_path / "journal", "0a1b2c3d", FACTS)
    journal.made(journal.creating("model", "a", "t"), "1")
    forked.made(forked.creating("model", "b", "t"), "2")
    assert {one.id for one in owed(tmp_path)} == {"1", "2"}


def test_what_another_process_of_the_run_deleted_is_not_owed(journal, tmp_path):
    """The controller of xdist's workers, whose file is read before theirs."""
    journal.made(journal.creating("model", "a", "t"), "1")
    (path,) = (tmp_path / "journal").iterdir()
    path.rename(path.with_name("0a1b2c3d-zz.jsonl"))
    ResourceJournal(tmp_path / "journal", "0a1b2c3d", FACTS).gone("1")
    assert owed(tmp_path) == []


def test_what_was_looked_for_is_not_owed(journal, tmp_path):
    """A request without an answer is no longer owed once the service was asked what came of it."""
    journal.creating("model", "a", "t")
    journal.made(journal.creating("model", "b", "t"), "1")
    journal.looked_for("a")
    journal.looked_for("b")
    assert owed(tmp_path) == [UndeletedResource("model", "1", "b", "t")]


@given(cut=st.integers(min_value=0, max_value=400))
def test_a_torn_line_is_left_out(cut, tmp_path_factory):
    """A kill or a full disk may cut the file anywhere: what stands before is read."""
    folder = tmp_path_factory.mktemp("torn")
    journal = ResourceJournal(folder / "journal", "0a1b2c3d", FACTS)
    for name in ("a", "b"):
        journal.made(journal.creating("model", name, "t"), f"id-{name}")
    (path,) = (folder / "journal").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:cut])
    assert set(owed(folder)) <= {
        UndeletedResource("model", id_, name, "t") for name in "ab" for id_ in ("", f"id-{name}")
    }


@pytest.mark.parametrize("text", ["", "[]\n", "\x00\xff\n", '{"asking": []}\n', '{"made": {}}\n', "{" * 5000, "null\n"])
def test_whatever_stands_in_it_nothing_breaks(text, tmp_path):
    """A file that is no journal owes nothing."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "ffffffff-1.jsonl").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert owed(tmp_path) == []


def test_without_a_journal_nothing_is_created(tmp_path):
    """A folder that cannot be made is told with a way on."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NoJournal, match="XDG_STATE_HOME"):
        ResourceJournal(tmp_path / "file", "0a1b2c3d", FACTS).creating("model", "a", "t")


def test_a_run_is_alive_until_its_process_ends(tmp_path):
    """Also when it is killed."""
    alive = RunLock(tmp_path, "0a1b2c3d")
    alive.begin()
    place = f"Path({str(tmp_path)!r})"
    begin = "from pathlib import Path; from pytest_wml.live.resource_journal import RunLock, is_alive; "
    script = f"{begin} print(is_alive({place}, '0a1b2c3d'))"
    told_ = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told_.strip() == "True"
    alive.end()
    killed = f"{begin} import os; alive = RunLock({place}, 'ffffffff'); alive.begin(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", killed], check=False)
    assert (tmp_path / "ffffffff.lock").exists()
    assert not is_alive(tmp_path, "ffffffff")


def test_its_folder(monkeypatch, tmp_path):
    """XDG's; a relative one is ignored, as XDG has it; without a home the temporary folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_.folder() == tmp_path / "pytest-wml" / "journal"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert journal_.folder().name == "pytest-wml-journal"
    assert os.path.isabs(journal_.folder())
