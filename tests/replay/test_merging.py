"""Recordings in version control: what two branches add becomes one recording, and no mixture of two models."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_wml.replay.cassette.file import BadCassette, Cassette, dump, load, write
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.replay.cassette.three_way import CannotMerge, three_way
from pytest_wml.tools.cli import main
from tests.replay.taping import exchange, lifecycle

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
PLACE = f"/ml/v4/deployments/{IDS[1]}"
FACTS = {
    "recorded_from": "embedded",
    "client": "ibm-watson-machine-learning 1.0.370",
    "recorded_at": "2026-01-02",
    "model": {"digest": "b" * 64, "basis": "model", "archive": "a" * 64, "signature": "serving_default(x) -> y"},
}
OTHER_MODEL = {**FACTS, "model": {**FACTS["model"], "digest": "c" * 64, "archive": "d" * 64}}
DRIVER = f"{sys.executable} -m pytest_wml.tools.cli cassette merge %O %A %B %P"


def scoring(number, answer=0):
    """A scoring of one row."""
    return exchange("POST", f"{PLACE}/predictions", {"predictions": [{"values": [answer]}]}, body={"row": number})


def recording(*added, facts=FACTS, at=6):
    """The recording of a deployment's life, with exchanges added before one of its own."""
    tape = lifecycle(*IDS)
    tape[at:at] = added
    return Cassette("tiny", facts, merged([normalised(tape, "tiny", {})]))


BASE = recording()
"""Common ancestor of all branches here."""


def git(folder, *arguments, check=True):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=check, capture_output=True, text=True)


def line_merge(folder, base, ours, theirs):
    """What git's own merge makes of three recordings: the text, and whether there are conflicts."""
    for name, text in (("base", dump(base)), ("ours", dump(ours)), ("theirs", dump(theirs))):
        (folder / name).write_text(text)
    ended = git(folder, "merge-file", "-p", "ours", "base", "theirs", check=False)
    return ended.stdout, ended.returncode > 0


def test_git_merges_what_two_branches_add(tmp_path):
    """Line by line, without a driver: of forty pairs of branches at most three conflict, and no merge is wrong."""
    random.seed(1)
    conflicts = 0
    for _ in range(40):
        ours, theirs = ([scoring(random.random())] for _ in range(2))
        text, conflict = line_merge(tmp_path, BASE, recording(*ours), recording(*theirs))
        assert conflict or text == dump(recording(*ours, *theirs))
        conflicts += conflict
    assert conflicts <= 3


def test_each_addition_is_two_lines(tmp_path):
    """A reviewer sees what was added, and no checksum or count of the whole."""
    for name, text in (("base", dump(BASE)), ("ours", dump(recording(scoring(1))))):
        (tmp_path / name).write_text(text)
    changed = git(tmp_path, "diff", "--no-index", "--numstat", "base", "ours", check=False).stdout
    assert changed.split()[:2] == ["2", "0"]


@functools.cache
def at_one_place():
    """Recordings of two branches that each add a scoring at the same place, and of both together."""
    for number in range(2, 9999):
        both = recording(scoring(1), scoring(number))
        one, other = (place for place, each in enumerate(both.interactions) if each.scores and b"row" in each.body)
        near = both.interactions[one].identity[:2] == both.interactions[other].identity[:2]
        if near and other == one + 1:
            return recording(scoring(1)), recording(scoring(number)), both
    raise AssertionError


@pytest.fixture
def conflict(tmp_path, monkeypatch):
    """A repository in the middle of a merge that git's own merge cannot end; what the merge should give."""
    ours, theirs, both = at_one_place()
    branches(tmp_path, BASE, ours, theirs)
    monkeypatch.chdir(tmp_path)
    assert git(tmp_path, "merge", "theirs", check=False).returncode == 1
    return both


def branches(folder, base, ours, theirs):
    """A repository with a branch for each recording, in which `ours` is checked out."""
    path = folder / "cassettes" / "tiny.yaml"
    git(folder, "init", "-q", "-b", "ours")
    (folder / ".gitattributes").write_text("cassettes/*.yaml merge=wml\n")
    for branch, cassette in (("ours", base), ("theirs", theirs), ("ours", ours)):
        git(folder, "checkout", "-q", *(["-b"] if branch == "theirs" else []), branch, check=False)
        write(path, dump(cassette))
        git(folder, "add", ".")
        git(folder, "commit", "-qm", branch)


def test_conflict_markers_are_named(conflict, tmp_path):
    """The line of the first, and two ways on."""
    with pytest.raises(BadCassette, match=r"Cassette tiny has unresolved merge conflicts at line \d+\.") as refusal:
        load(tmp_path / "cassettes" / "tiny.yaml")
    line = int(refusal.value.problem.rstrip(".").rpartition(" ")[2])
    assert (tmp_path / "cassettes" / "tiny.yaml").read_text().splitlines()[line - 1].startswith("<<<<<<< ")
    assert "pytest-wml cassette merge " in str(refusal.value)
    assert "by hand: keep those of both sides and delete git's marker lines" in str(refusal.value)


def test_keeping_both_sides_by_hand_is_a_merge(conflict, tmp_path):
    """A conflict consists of whole interactions: without git's marker lines the file is right."""
    path = tmp_path / "cassettes" / "tiny.yaml"
    kept = [line for line in path.read_text().splitlines() if line[:7] not in ("<<<<<<<", "=======", ">>>>>>>")]
    path.write_text("\n".join(kept))
    assert set(load(path).interactions) == set(conflict.interactions)


def test_the_tool_resolves_what_git_could_not(conflict, tmp_path, capsys):
    """From the three versions that git keeps during a merge."""
    assert main(["cassette", "merge", "cassettes/tiny.yaml"]) == 0
    assert capsys.readouterr().out.endswith(
        f": merged, {len(conflict.interactions)} interactions, 1 of them from the other branch\n"
    )
    assert (tmp_path / "cassettes" / "tiny.yaml").read_text() == dump(conflict)


def test_it_is_a_merge_driver_of_git(tmp_path):
    """Once a clone knows the driver, `git merge` needs nobody."""
    ours, theirs, both = at_one_place()
    branches(tmp_path, BASE, ours, theirs)
    git(tmp_path, "config", "merge.wml.driver", DRIVER)
    git(tmp_path, "merge", "theirs")
    assert (tmp_path / "cassettes" / "tiny.yaml").read_text() == dump(both)


def test_the_driver_leaves_a_conflict_where_the_models_differ(tmp_path):
    """git says so, the file holds the markers, and the reason is on the terminal."""
    branches(tmp_path, BASE, recording(scoring(1)), recording(facts=OTHER_MODEL))
    git(tmp_path, "config", "merge.wml.driver", DRIVER)
    ended = git(tmp_path, "merge", "theirs", check=False)
    assert ended.returncode == 1
    assert "The two recordings of tiny are of different models" in ended.stderr
    with pytest.raises(BadCassette):
        load(tmp_path / "cassettes" / "tiny.yaml")


def test_git_does_not_mix_the_answers_of_two_models(tmp_path):
    """One branch retrained, the other added a test of the old model: the lines fit together, the answers do not."""
    text, conflict = line_merge(tmp_path, BASE, recording(facts=OTHER_MODEL), recording(scoring(1)))
    assert not conflict
    (tmp_path / "tiny.yaml").write_text(text)
    with pytest.raises(BadCassette, match="mixes the answers of two models"):
        load(tmp_path / "tiny.yaml")


def test_three_files_by_hand(tmp_path, monkeypatch, capsys):
    """The result is written to the second; an empty first file stands for no common ancestor."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").touch()
    for name, cassette in (("ours", recording(scoring(1))), ("theirs", recording(scoring(2)))):
        write(tmp_path / f"{name}.yaml", dump(replace(cassette, name=name)))
    assert main(["cassette", "merge", "base.yaml", "ours.yaml", "theirs.yaml", "--json"]) == 0
    assert '"from_theirs": 1' in capsys.readouterr().out
    merged = load(tmp_path / "ours.yaml").interactions
    assert merged == recording(scoring(1), scoring(2)).interactions


def test_what_git_knows_no_conflict_of(tmp_path, monkeypatch, capsys):
    """A file outside a merge, or outside any repository."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tiny.yaml", dump(BASE))
    assert main(["cassette", "merge", "tiny.yaml"]) == 2
    assert "git has no conflict in tiny.yaml." in capsys.readouterr().err
    assert main(["cassette", "merge", "a", "b"]) == 2


def test_what_either_side_removed_is_gone():
    """A test was deleted on one branch, another was added on the other."""
    base = recording(scoring(1), scoring(2))
    result = three_way(base, recording(scoring(2)), recording(scoring(1), scoring(2), scoring(3)))
    assert result.interactions == recording(scoring(2), scoring(3)).interactions


def test_what_one_side_recorded_again_is_taken():
    """The other side left it as it was."""
    base = recording(scoring(1, 5))
    result = three_way(base, recording(scoring(1, 7)), recording(scoring(1, 5), scoring(2)))
    assert result.interactions == recording(scoring(1, 7), scoring(2)).interactions


def test_different_answers_of_both_sides_are_refused():
    """Nobody knows which one is right; the request is named."""
    with pytest.raises(CannotMerge, match="contradict each other") as refusal:
        three_way(recording(scoring(1, 5)), recording(scoring(1, 6)), recording(scoring(1, 7)))
    assert "the two sides recorded different answers to POST /ml/v4/deployments/" in str(refusal.value)


def test_who_looked_more_often_saw_more_states():
    """One branch's run saw the deployment get ready at once, the other's saw it wait."""
    waiting = exchange("GET", PLACE, {"entity": {"status": {"state": "waiting"}}})
    result = three_way(BASE, recording(waiting, at=5), recording(scoring(1)))
    assert result.interactions == recording(waiting, scoring(1), at=5).interactions


def change(name):
    return exchange("PATCH", PLACE, {"entity": {"name": name}}, body=[{"op": "replace", "value": name}])


def read(name):
    return exchange("GET", f"{PLACE}/name", {"name": name})


def test_changes_of_the_state_keep_their_order(tmp_path):
    """What a branch read after its own change is still read after it, also from the file."""
    ours, theirs = recording(change("a"), read("a"), at=7), recording(change("b"), change("c"), read("c"), at=7)
    both = three_way(BASE, ours, theirs)
    write(tmp_path / "tiny.yaml", dump(both))
    assert load(tmp_path / "tiny.yaml") == both
    changed, read_after = [], {}
    for one in both.interactions:
        if one.method == "PATCH":
            changed.append(json.loads(one.body)[0]["value"])
        elif one.path.endswith("/name"):
            read_after[json.loads(one.answer)["name"]] = changed[-1]
    assert read_after == {"a": "a", "c": "c"}
    assert [name for name in changed if name != "a"] == ["b", "c"]


def test_changes_in_different_orders_are_refused():
    """One order is as good as the other, and the answers after them differ."""
    base = recording(at=7)
    ours, theirs = recording(change("a"), change("b"), at=7), recording(change("b"), change("a"), at=7)
    with pytest.raises(CannotMerge, match="contradict each other"):
        three_way(base, ours, theirs)


def test_an_answer_after_a_change_that_the_other_side_removed_is_refused():
    """Without the change it would come too early."""
    base = recording(change("a"), at=7)
    with pytest.raises(CannotMerge, match="contradict each other") as refusal:
        three_way(base, recording(at=7), recording(change("a"), read("a"), at=7))
    assert "the other removed the change before it" in str(refusal.value)


def test_dates_are_those_of_each_interaction():
    """One branch renewed the whole recording, the other had added a test the day before."""
    renewed = replace(BASE, metadata={**FACTS, "recorded_at": "2026-03-03"})
    added = recording(scoring(1))
    new = next(one for one in added.interactions if one not in BASE.interactions)
    later = added.origin_of_all._replace(recorded_at="2026-03-02")
    dated = (replace(one, origin=later if one == new else None) for one in added.interactions)
    result = three_way(BASE, renewed, replace(added, interactions=tuple(dated)))
    assert {result.origin(one).recorded_at for one in result.interactions if one != new} == {"2026-03-03"}
    assert (result.oldest, result.newest) == ("2026-03-02", "2026-03-03")
