"""Folders that cannot be used, and disks that fail: told in words, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sqlite3
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.storage.database import FORMAT
from pytest_wml.errors import BadDataDir
from tests.emulator.kept import everything, served
from tests.emulator.rest import error_of


def refusal(data_dir) -> str:
    with pytest.raises(BadDataDir) as refused:
        EmbeddedWML(data_dir=data_dir)
    return str(refused.value)


def test_one_folder_has_one_server(tmp_path):
    """The second is told whose it is; when the first has ended, it may have it."""
    with served(tmp_path):
        told = refusal(tmp_path)
        assert told.splitlines()[:3] == [
            "Another server uses the data folder.",
            f"  folder: {tmp_path}",
            f"  process: {os.getpid()}",
        ]
    with served(tmp_path):
        pass


def test_a_file_is_no_folder(tmp_path):
    """Nor is a path below one."""
    file = tmp_path / "file"
    file.write_text("mine")
    assert refusal(file).startswith("The data folder is a file.")
    assert refusal(file / "data").startswith("The data folder cannot be used.")
    assert file.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_refused():
    """With the system's words."""
    assert refusal(Path("/proc/self/data")).startswith("The data folder cannot be used.")


def test_a_start_that_cannot_be_written_down_is_refused(tmp_path):
    """A disk that is full when the database is made, or a space in it; a file where the uploads should be."""
    with no_file_beyond(1000):
        assert refusal(tmp_path).startswith("The database of the data folder cannot be used.")
    with served(tmp_path, spaces=[]):
        pass
    with no_file_beyond(1000):
        assert refusal(tmp_path).startswith("The data folder cannot be used.")
    with served(tmp_path) as rest:
        assert rest.create_model().status_code == 201
    (tmp_path / "contents").rmdir()
    (tmp_path / "contents").write_text("mine")
    assert refusal(tmp_path).startswith("The data folder cannot be used.")


def test_a_folder_of_other_things_is_refused(tmp_path):
    """Nothing in it is touched: a service sweeps its folder."""
    (tmp_path / "contents").mkdir()
    (tmp_path / "contents" / "upload-mine").write_text("mine")
    (tmp_path / "thesis.tex").write_text("mine")
    told = refusal(tmp_path)
    assert told.startswith("The data folder holds something else.")
    assert "found: thesis.tex" in told
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["contents", "thesis.tex", "upload-mine"]


def test_a_lost_database_loses_no_uploads(tmp_path):
    """They are not taken for what was not finished."""
    with served(tmp_path) as rest:
        rest.store(b"model")
    (tmp_path / "wml.sqlite3").unlink()
    assert "uploads and no database" in refusal(tmp_path)
    assert len(list((tmp_path / "contents").iterdir())) == 1


def with_sql(database, script) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (f"PRAGMA user_version = {FORMAT + 1}", "written by a newer pytest-wml"),
        ("PRAGMA application_id = 1", "a database that is not of pytest-wml"),
        ("UPDATE records SET json = '{}' WHERE kind = 'model'", "is damaged: model"),
        ("UPDATE records SET json = replace(json, 'initializing', 'dancing')", "state: is none of"),
        ("UPDATE records SET json = NULL || json WHERE 0; UPDATE records SET id = 'x' WHERE kind = 'model'", "another"),
        ("UPDATE records SET json = x'ff' WHERE kind = 'space'", "is damaged: space"),
        (
            "UPDATE records SET json = json_set(json, '$.number', json('null')) WHERE kind = 'model'",
            "another id or number",
        ),
        ("DROP TABLE counters", "no such table: counters"),
    ],
)
def test_a_database_that_cannot_be_read_is_left_as_it_is(tmp_path, script, told):
    """Newer, foreign or damaged: the service does not start, and deletes nothing."""
    with served(tmp_path) as rest:
        rest.create_deployment(rest.store(b"model"))
    database = tmp_path / "wml.sqlite3"
    with_sql(database, script)
    before = database.read_bytes()
    assert told in refusal(tmp_path)
    assert database.read_bytes() == before
    assert len(list((tmp_path / "contents").iterdir())) == 1


@pytest.mark.parametrize("broken", ["junk", "cut", "hole"])
def test_a_broken_database_file_is_refused(tmp_path, broken):
    """Junk, half a file, or a page overwritten."""
    with served(tmp_path) as rest:
        for _ in range(60):
            rest.create_model(description="a" * 200)
    database = tmp_path / "wml.sqlite3"
    whole = database.read_bytes()
    half = len(whole) // 2
    database.write_bytes(
        {"junk": b"junk" * 1024, "cut": whole[:half], "hole": whole[:half] + bytes(4096) + whole[half + 4096 :]}[broken]
    )
    before = database.read_bytes()
    assert "database of the data folder" in refusal(tmp_path)
    assert database.read_bytes() == before


def test_a_damaged_key_is_told(tmp_path):
    """With what to do about it."""
    with served(tmp_path):
        pass
    (tmp_path / "token.key").write_bytes(b"short")
    assert "The key of the data folder is damaged." in refusal(tmp_path)


@contextlib.contextmanager
def no_file_beyond(size):
    """Writes beyond so many bytes of a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_upload_to_a_full_disk_is_refused(tmp_path):
    """507; the model holds what it held, and nothing is left behind."""
    with served(tmp_path) as rest:
        model_id = rest.store(b"first")
        with no_file_beyond(100_000):
            answer = rest.upload(model_id, b"x" * 200_000)
        assert (answer.status_code, error_of(answer)["code"]) == (507, "insufficient_storage")
        assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == b"first"
        assert len(list((tmp_path / "contents").iterdir())) == 1
        assert rest.upload(model_id, b"x" * 200_000).status_code == 201


def test_what_cannot_be_written_down_did_not_happen(tmp_path):
    """Creating, uploading, changing and deleting fail with a 500, and all is as before, now and after a restart."""
    with served(tmp_path) as rest:
        model_id = rest.store(b"first", description="a" * 5000)
        deployment_id = rest.create_deployment(rest.store(b"second")).json["metadata"]["id"]
        rest.deployment(deployment_id)
        before = everything(rest)
        written = (tmp_path / "wml.sqlite3-wal").stat().st_size
        operations = [{"op": "replace", "path": "/name", "value": "x" * 5000}]
        with no_file_beyond(written):
            answers = [
                rest.create_model(),
                rest.upload(model_id, b"third"),
                rest.space("PATCH", f"/ml/v4/models/{model_id}", operations),
                rest.space("DELETE", f"/ml/v4/deployments/{deployment_id}"),
                rest.space("DELETE", f"/ml/v4/models/{model_id}"),
                rest.send("POST", "/v2/spaces", {"name": "mine"}),
            ]
            assert [answer.status_code for answer in answers] == [500] * 6
            assert {error_of(answer)["code"] for answer in answers} == {"storage_failed"}
            assert everything(rest) == before
        assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == b"first"
        assert len(list((tmp_path / "contents").iterdir())) == 2
        assert rest.create_model(name="later").status_code == 201
        before = everything(rest)
    with served(tmp_path) as rest:
        assert everything(rest) == before


def test_a_disk_that_fails_at_the_last_moment_keeps_the_old(tmp_path, monkeypatch):
    """The file was renamed already when its folder could not be written."""
    with served(tmp_path) as rest:
        model_id = rest.store(b"first")

        def failing(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("pytest_wml.emulator.contents.sync_folder", failing)
            assert rest.upload(model_id, b"second").status_code == 507
        assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == b"first"
        assert len(list((tmp_path / "contents").iterdir())) == 1
