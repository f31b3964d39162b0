"""`pytest-wml cassette verify` against the embedded service, in this process."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.tools.cli import main
from tests.tools.verify import journeys
from tests.tools.verify.recording import CLOUD, CPD, recorded, written

SHIPPED = Path(__file__).parents[3] / "cassettes"


def verified(capsys, *options):
    """The exit status and what is told in JSON."""
    status = main(["cassette", "verify", "--against=embedded", "--json", *map(str, options)])
    return status, json.loads(capsys.readouterr().out)


def levels(told):
    return [(each["level"], each["path"]) for one in told["cassettes"] for each in one["differences"]]


@pytest.mark.parametrize("given", [CLOUD, CPD], ids=["IBM Cloud", "Cloud Pak for Data"])
@pytest.mark.parametrize("journey", journeys.ALL, ids=lambda journey: journey.__name__)
def test_a_recording_of_the_embedded_service_agrees_with_it(journey, given, tmp_path, capsys):
    """Spaces, models, lists, pages, refusals: every request is sent and nothing differs, with other ids and dates."""
    path = written(tmp_path, recorded(journey, given))
    status, told = verified(capsys, path)
    assert (status, told["verdict"], levels(told)) == (0, "info", [])
    (one,) = told["cassettes"]
    assert (one["left_out"], one["left_behind"], one["notes"]) == ([], [], [])
    assert one["compared"] == len(recorded(journey, given).interactions)


def changed(cassette: Cassette, path_end: str, old: str, new: str) -> Cassette:
    """A recording in whose answers, where a path ends so, something was written by hand."""
    hand = tuple(
        dataclasses.replace(each, answer=each.answer.replace(old.encode(), new.encode()))
        if each.path.endswith(path_end)
        else each
        for each in cassette.interactions
    )
    assert hand != cassette.interactions
    return dataclasses.replace(cassette, interactions=hand)


@pytest.mark.parametrize(
    ("old", "new", "level", "path", "status"),
    [
        ("model_does_not_exist", "nothing_there", "error", "errors.0.code", (1, 1)),
        ("does not exist", "is not there", "warn", "errors.0.message", (0, 1)),
        ('"errors":', '"more": 1, "errors":', "error", "more", (1, 1)),
        ('"trace": "00000000000000000000000000000000", ', "", "info", "trace", (0, 0)),
    ],
)
def test_what_was_changed_in_a_recording_is_found(tmp_path, capsys, old, new, level, path, status):
    """With its place, both values and how much it matters; with --strict a warning is an error."""
    file = written(tmp_path, changed(recorded(journeys.refusals), "dead", old, new))
    for strict, expected in zip(([], ["--strict"]), status, strict=True):
        exit_status, told = verified(capsys, file, *strict)
        assert (exit_status, told["verdict"]) == (expected, level)
        assert set(levels(told)) == {(level, path)}


def test_the_list_is_read_by_people(tmp_path, capsys):
    """Per route how many answers and differences; then each difference; then the sum."""
    file = written(tmp_path, changed(recorded(journeys.refusals), "dead", "model_does_not_exist", "nothing_there"))
    report = tmp_path / "out" / "verify.json"
    assert main(["cassette", "verify", file, f"--report={report}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "against embedded: the embedded service",
        "  journey: 6 requests, 0 deployments, 0 scorings",
        "journey, recorded from embedded at 2026-01-02: 6 compared",
    ]
    assert any(line.split() == ["GET", "/ml/v4/models/{model_id}", "1", "1", "0", "0"] for line in lines)
    place = next(number for number, line in enumerate(lines) if line.startswith("    error  "))
    assert lines[place - 1].partition(": ")[2].startswith("GET /ml/v4/models/00000000-0000-4000-8000-00000000dead")
    assert lines[place] == '    error  errors.0.code: recorded "nothing_there", now "model_does_not_exist"'
    assert lines[-1] == "6 answers compared: 2 error, 0 warn, 0 info"
    assert json.loads(report.read_text())["verdict"] == "error"


def test_what_needs_what_could_not_be_made_is_left_out(tmp_path, capsys):
    """One thing that is refused is one error, and not a dozen."""
    whole = recorded(journeys.a_space_of_its_own)
    first = next(each for each in whole.interactions if each.path == "/ml/v4/models" and each.method == "POST")
    hand = tuple(
        dataclasses.replace(each, body=b'{"name": "no type"}') if each is first else each for each in whole.interactions
    )
    status, told = verified(capsys, written(tmp_path, dataclasses.replace(whole, interactions=hand)))
    assert status == 1
    (one,) = told["cassettes"]
    assert next(each for each in levels(told) if each[0] == "error") == ("error", "status")
    assert {each["reason"] for each in one["left_out"]} == {"it needs a resource that could not be created"}
    assert len(one["left_out"]) == 6


def test_a_folder_and_a_missing_file(tmp_path, capsys):
    """All recordings of a folder, each on its own; what is not there cannot be verified."""
    for number, journey in enumerate((journeys.refusals, journeys.pages)):
        written(tmp_path, dataclasses.replace(recorded(journey), name=f"number{number}"))
    status, told = verified(capsys, tmp_path)
    assert (status, [one["name"] for one in told["cassettes"]]) == (0, ["number0", "number1"])
    assert main(["cassette", "verify", str(tmp_path / "nothing")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["cassette", "verify", str(tmp_path / "empty")]) == 2


def test_a_dry_run_asks_nothing(capsys):
    """It says what would be sent, for the shipped recordings too, whose model is found by its digest."""
    assert main(["cassette", "verify", "--dry-run", str(SHIPPED)]) == 0
    said = capsys.readouterr().out
    assert "mnist_cnn: 33 requests, 1 deployment, 19 scorings" in said
    assert "sends " in said
    assert "compared" not in said


def test_the_shipped_refusals(capsys):
    """The recording that needs no model."""
    status, told = verified(capsys, SHIPPED / "mnist_cnn_refusals.yaml")
    assert (status, levels(told), told["cassettes"][0]["compared"]) == (0, [], 5)


@pytest.mark.slow
def test_the_shipped_recordings(capsys):
    """Scored anew by TensorFlow, with the packaged model, which is found by its digest; a life cycle has its day."""
    status, told = verified(capsys, SHIPPED)
    assert status == 0
    assert set(levels(told)) <= {("info", "resources.0.metadata.life_cycle")}
    assert sum(one["compared"] for one in told["cassettes"]) == 38


def test_a_model_that_is_not_at_hand(tmp_path, monkeypatch, capsys):
    """Both digests are told before anything is asked."""
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "model.bin"
    archive.write_bytes(b"somebody's model")

    def journey(at):
        at.ask("PUT", f"/ml/v4/models/{at.model('m')}/content", archive, content_format="native", **journeys.SPACE)

    file = written(tmp_path, recorded(journey))
    (tmp_path / "other.bin").write_bytes(b"another one")
    assert main(["cassette", "verify", file]) == 2
    said = capsys.readouterr().err
    assert "The model of cassette journey was not found" in said
    assert "mnist_cnn.tar.gz: model 0008c4911fc60d5c" in said
    assert "--model ARCHIVE" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--against=live"], "needs credentials"),
        (["--against=live", "--ca=/no/such/file"], "cannot be read"),
        (["--against=embedded", "--write-fidelity=fidelity.json"], "needs answers of the live service"),
        (["--model=/no/such/model.tar.gz"], "There is no model at"),
    ],
)
def test_what_cannot_be_done(tmp_path, monkeypatch, capsys, options, words):
    """Said in a sentence, before anything is asked."""
    for name in [name for name in os.environ if name.startswith(("WML_", "WATSONX_", "IBMCLOUD"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert main(["cassette", "verify", str(SHIPPED), *options]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "compared" not in told.out


def test_live_needs_a_yes(tmp_path, monkeypatch, capsys):
    """Without a terminal to ask on, nothing is sent to what is paid for; what it would be is said."""
    monkeypatch.setenv("WML_APIKEY", "a-key-that-nobody-may-see")
    monkeypatch.setenv("WML_SPACE_ID", "3fc54cf1-252f-424b-b52d-5cdd9814987f")
    assert main(["cassette", "verify", str(SHIPPED), "--against=live"]) == 2
    told = capsys.readouterr()
    assert "mnist_cnn: 33 requests, 1 deployment, 19 scorings" in told.out
    assert "--yes" in told.err
    assert "nobody-may-see" not in told.out + told.err


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals of one's own here")
def test_on_a_terminal_it_asks(tmp_path):
    """Whoever does not say yes has paid nothing."""
    leader, follower = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_WML_GUARD"}
    environment |= {
        "WML_APIKEY": "a-key-that-nobody-may-see",
        "WML_SPACE_ID": "3fc54cf1-252f-424b-b52d-5cdd9814987f",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    file = written(tmp_path, recorded(journeys.refusals))
    line = [sys.executable, "-m", "pytest_wml.tools.cli", "cassette", "verify", "--against=live", file]
    process = subprocess.Popen(line, env=environment, stdin=follower, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    said = b""
    try:
        while b"Continue?" not in said:
            said += os.read(leader, 1024)
        os.write(leader, b"no\n")
        assert process.wait(timeout=60) == 2
    finally:
        process.kill()
        process.stdout.close()
        os.close(leader)
