"""`pytest-wml cassette prune`: removes what the last complete replay did not ask for, and nothing else."""

from __future__ import annotations

import json
import os
import time

import pytest

from pytest_wml.replay.cassette.file import Cassette, dump, fingerprint, load, write
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.runner.staleness import CompleteReplay, unused_interactions
from pytest_wml.tools.cli import main
from tests.replay.taping import MODEL, exchange, lifecycle

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
FACTS = {"recorded_from": "embedded", "recorded_at": "2026-01-02"}


def cassette(tape, name="tiny"):
    return Cassette(name, FACTS, tuple(normalised(tape, name, {})))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with tests and a recording, of which a complete replay asked for all but the scoring."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_model.py").touch()
    (tmp_path / "pytest.ini").touch()
    recording = cassette(lifecycle(*IDS))
    write(tmp_path / "cassettes" / "tiny.yaml", dump(recording))
    write(tmp_path / "cassettes" / "gone.yaml", dump(cassette([exchange("GET", "/v2/gone")], "gone")))
    replayed(tmp_path, [one.identity for one in recording.interactions if not one.scores])
    return tmp_path


def replayed(folder, identities, **others):
    """A complete replay, as pytest's cache knows it; nothing of the project is newer."""
    recordings = (folder / "cassettes").glob("*.yaml")
    replay = CompleteReplay(
        identities=frozenset(identities),
        cassettes={path.stem: fingerprint(path) for path in recordings},
        folder="cassettes",
        started=time.time() + 10,
        suite=(".",),
        skipped=(".*",),
    )
    place = folder / ".pytest_cache" / "v" / "wml"
    place.mkdir(parents=True, exist_ok=True)
    (place / "played").write_text(json.dumps({**replay.as_json(), **others}))


def test_it_is_shown_and_then_done(project, capsys):
    """Without --yes nothing changes."""
    before = load(project / "cassettes" / "tiny.yaml")
    assert main(["cassette", "prune"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in shown] == ["would be removed (--yes does it)"] * 2
    assert shown[0].endswith(": gone.yaml")
    assert shown[1].endswith("/predictions")
    assert load(project / "cassettes" / "tiny.yaml") == before
    assert main(["cassette", "prune", "--yes"]) == 0
    after = load(project / "cassettes" / "tiny.yaml").interactions
    assert list(after) == [one for one in before.interactions if not one.scores]
    assert not (project / "cassettes" / "gone.yaml").exists()


def test_a_copy_is_kept(project, capsys):
    """The files as they were, in a folder that the output names."""
    before = {path.name: path.read_bytes() for path in (project / "cassettes").iterdir()}
    assert main(["cassette", "prune", "--yes", "--json"]) == 0
    copies = project / json.loads(capsys.readouterr().out)["copies"]
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == before
    main(["cassette", "prune", "--yes"])
    assert "nothing to prune" in capsys.readouterr().out


def test_it_works_in_any_folder_of_the_project(project, capsys, monkeypatch):
    """The root folder is the one with pytest's cache."""
    monkeypatch.chdir(project / "tests")
    assert main(["cassette", "prune", "--yes"]) == 0
    assert not (project / "cassettes" / "gone.yaml").exists()
    assert f"copies of the original files: {project}" in capsys.readouterr().out


def test_a_recording_that_changed_since_is_left_alone(project, capsys):
    """Nobody knows yet what of it is used."""
    newer = project / "cassettes" / "gone.yaml"
    write(newer, dump(cassette([exchange("GET", "/v2/new")], "gone")))
    assert main(["cassette", "prune", "--yes"]) == 0
    assert "not pruned, because it is newer than the last complete replay: gone.yaml" in capsys.readouterr().out
    assert newer.exists()


@pytest.mark.parametrize("name", ["tests/test_new.py", "tests/conftest.py", "rows.py", "pump.wml.yaml", "pytest.ini"])
def test_a_replay_that_is_older_than_the_tests_is_not_enough(project, capsys, name):
    """A new test may need what the replay did not ask for; a file that was moved here may be old."""
    replayed(project, [], started=time.time() - 5)
    (project / "tests" / "test_model.py").unlink()
    (project / "pytest.ini").unlink()
    (project / name).touch()
    os.utime(project / name, (0, 0))
    before = (project / "cassettes" / "tiny.yaml").read_bytes()
    assert main(["cassette", "prune", "--yes"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("The last complete replay is older than the tests.\n")
    assert f"  changed: {name} (" in told
    assert "run the whole suite once in replay: pytest\n" in told
    assert (project / "cassettes" / "tiny.yaml").read_bytes() == before


def test_other_files_do_not_matter(project):
    """Neither what pytest does not search, nor notes and data."""
    replayed(project, [], started=time.time() - 5)
    for path in project.rglob("test*.py"):
        path.unlink()
    (project / "pytest.ini").unlink()
    (project / ".hidden").mkdir()
    (project / ".hidden" / "test_one.py").touch()
    (project / "notes.md").touch()
    assert main(["cassette", "prune"]) == 0


def test_without_a_complete_replay_nothing_is_touched(project, capsys, monkeypatch):
    """The way on is said, and in which folder."""
    (project / ".pytest_cache/v/wml/played").unlink()
    (project / ".pytest_cache/v/wml/incomplete").write_text('"it was run with -k"')
    monkeypatch.chdir(project / "tests")
    assert main(["cassette", "prune", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "last replay: not complete: it was run with -k" in told
    assert f"run the whole suite once in replay: cd {project} && pytest" in told


def test_recordings_of_another_folder_are_left_alone(project, capsys):
    """The replay did not play them."""
    (project / "others").mkdir()
    assert main(["cassette", "prune", "others", "--yes"]) == 2
    assert "did not use the recordings in others" in capsys.readouterr().err
    assert main(["cassette", "prune", "cassettes"]) == 0


def test_a_change_stays_while_an_answer_after_it_is_asked_for():
    """Without the change before it, an answer would come too early."""
    renamed = exchange("PATCH", "/ml/v4/models/m", {}, body=[{"op": "replace"}])
    read = exchange("GET", "/ml/v4/models/m", {"name": "new"})
    recording = cassette([exchange("GET", "/ml/v4/models/m", {"name": "old"}), renamed, read])
    assert unused_interactions(recording, {recording.interactions[0].identity}) == []
    other = cassette([exchange("GET", "/v2/spaces"), renamed, read])
    assert unused_interactions(other, {other.interactions[0].identity}) == list(other.interactions[1:])


def test_the_model_of_an_existing_deployment_stays():
    """Replay reads its digests without asking for it."""
    download = exchange("GET", "/ml/v4/models/m/download", MODEL)
    recording = cassette([download, exchange("GET", "/v2/spaces")])
    assert unused_interactions(recording, set()) == list(recording.interactions[1:])
