"""`pytest-wml cassette`: list, inspect, diff, scan."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest

from pytest_wml.replay.cassette.file import Cassette, dump, write
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.tools.cli import main
from pytest_wml.wml.tokens import minted
from tests.replay.taping import exchange, lifecycle

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
FACTS = {
    "recorded_from": "embedded",
    "recorded_at": "2026-01-02",
    "client": "ibm-watson-machine-learning 1.0.370",
    "model": {"digest": "b" * 64, "basis": "model", "archive": "a" * 64, "signature": "serving_default(x) -> y"},
}


def cassette(tape=None, **facts):
    return Cassette("tiny", {**FACTS, **facts}, tuple(normalised(tape or lifecycle(*IDS), "tiny", {})))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one recording, as the current directory."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "cassettes" / "tiny.yaml", dump(cassette()))
    return tmp_path


def test_list_says_what_each_recording_is(folder, capsys):
    """One line a file: when, from where, which model, how much."""
    assert main(["cassette", "list"]) == 0
    assert capsys.readouterr().out.split() == [
        *("tiny", "2026-01-02", "embedded", "model", "b" * 16, "9", "interactions,", "1", "scorings")
    ]


def test_list_tells_unusable_files_apart(folder, capsys):
    """A damaged file is named, and the exit status tells a script."""
    (folder / "cassettes" / "bad.yaml").write_text("{")
    assert main(["cassette", "list", "--json"]) == 1
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed["cassettes"]] == ["tiny"]
    assert listed["unusable"] == ["bad.yaml: Cassette bad is cut off or damaged."]


def test_inspect_shows_every_exchange(folder, capsys):
    """Requests, statuses and bodies; the upload by its digests."""
    assert main(["cassette", "inspect", "cassettes/tiny.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "0: POST /ml/v4/models" in shown
    assert "asked an archive of 400,000 bytes" in shown
    assert '{"predictions": [{"values": [5]}]}' in shown


def test_diff_shows_what_a_change_of_the_model_changed(folder, capsys):
    """Another model and another class: both are in the difference, and the rest is not."""
    tape = lifecycle(*IDS)
    tape[6] = exchange("POST", tape[6].path, {"predictions": [{"values": [7]}]}, body={"input_data": [1.5]})
    write(folder / "new.yaml", dump(cassette(tape, model={**FACTS["model"], "digest": "c" * 64})))
    assert main(["cassette", "diff", "cassettes/tiny.yaml", "new.yaml"]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert f"model: {'b' * 64} → {'c' * 64}" in shown
    assert '-            "values": [5]' in shown
    assert '+            "values": [7]' in shown
    assert sum(line.startswith("changed:") for line in shown) == 1


def test_diff_of_the_same_is_empty(folder, capsys):
    """Nothing changed: nothing is said."""
    assert main(["cassette", "diff", "cassettes/tiny.yaml", "cassettes/tiny.yaml"]) == 0
    assert capsys.readouterr().out == ""


@pytest.fixture
def repository(folder):
    """The folder as a git repository whose next revision records another answer."""

    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    tape = lifecycle(*IDS)
    tape[6] = exchange("POST", tape[6].path, {"predictions": [{"values": [7]}]}, body={"input_data": [1.5]})
    write(folder / "cassettes" / "tiny.yaml", dump(cassette(tape)))
    git("commit", "-qam", "two")
    return git


def test_diff_between_two_revisions(repository, capsys):
    """`REVISION:path` names a recording in git."""
    assert main(["cassette", "diff", "HEAD~1:cassettes/tiny.yaml", "HEAD:cassettes/tiny.yaml", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["what"] for one in found] == ["changed"]


def test_as_gits_textconv(repository, folder):
    """With `inspect --full` as textconv, git diff shows the member that changed and not a line of 30 kB."""
    import sys

    (folder / ".gitattributes").write_text("cassettes/*.yaml diff=wml\n")
    repository("config", "diff.wml.textconv", f"{sys.executable} -m pytest_wml.tools.cli cassette inspect --full")
    shown = repository("diff", "HEAD~1", "HEAD")
    changed = [line[1:].strip() for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == ['"values": [5]', '"values": [7]']


def test_a_revision_that_does_not_exist(repository, capsys):
    """git's own words, as an error and not as a traceback."""
    assert main(["cassette", "inspect", "HEAD~9:cassettes/tiny.yaml"]) == 2
    assert "git has no HEAD~9:cassettes/tiny.yaml." in capsys.readouterr().err


def b64(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


TOKEN = f"{b64({'alg': 'RS256'})}.{b64({'sub': 'IBMid-1', 'exp': 1})}.c2lnbmF0dXJl"
LEAKS = {
    "JSON web token": f'{{"access": "{TOKEN}"}}',
    "bearer token": "Authorization: [Bearer abcdefghijklmnopqrstuvwxyz]",
    "basic credentials": "Authorization: Basic dXNlcjpwYXNzd29yZA==",
    "value of apikey": "body: apikey=abcdefghijkl&grant_type=x",
    "value of secret_access_key": 'string: \'{"secret_access_key": "abcdefghijkl"}\'',
    "cookie": "Set-Cookie: [__cf_bm=abcdefghijkl; path=/]",
    "private key": "-----BEGIN RSA PRIVATE KEY-----",
    "value of AWS_SECRET_ACCESS_KEY": '"body": "{\\"AWS_SECRET_ACCESS_KEY\\": \\"wJalrXUtnFEMI/K7MDENG\\"}"',
    "AWS Access Key": '"body": "{\\"note\\": \\"AKIA' + 'IOSFODNN7EXAMPLE\\"}"',
    "password in a URL": "uri: https://me:abcdefghijkl@cpd.example.com/ml/v4/models",
    "personal id": '"owner": "IBMid-0600012ABC"',
}


@pytest.mark.parametrize(("kind", "text"), LEAKS.items(), ids=LEAKS)
def test_scan_finds_secrets_in_anybodys_recording(folder, capsys, kind, text):
    """Also in files of stock vcrpy: line, column and kind, never the secret."""
    (folder / "stock.yaml").write_text(f"interactions:\n  - {text}\n")
    assert main(["cassette", "scan", "stock.yaml"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("stock.yaml:2:")
    assert kind in shown
    assert "abcdefghijkl" not in shown
    assert TOKEN not in shown


def test_scan_finds_the_environments_key(folder, capsys, monkeypatch):
    """A key that looks like nothing is found if the environment holds it, in base64 too."""
    monkeypatch.setenv("WML_APIKEY", "plain words")
    (folder / "a.yaml").write_text(base64.b64encode(b"xx plain words yy").decode())
    assert main(["cassette", "scan", "a.yaml"]) == 1
    assert capsys.readouterr().out == "a.yaml:1:1: a secret of the environment\n"


def test_scan_is_quiet_about_our_own_recordings(folder, capsys):
    """What is scrubbed, minted or known to everybody is no secret."""
    (folder / "cassettes" / "more.yaml").write_text(
        f'"token": "{minted()}"\nAuthorization: Basic Yng6Yng=\n"apikey": "***"\n"owner": "IBMid-000000000000"\n'
    )
    assert main(["cassette", "scan"]) == 0
    assert capsys.readouterr().out == "no secrets found\n"


@pytest.mark.parametrize("tool", [["inspect", "none.yaml"], ["list", "nowhere"], ["scan", "nowhere"]])
def test_what_does_not_exist(folder, capsys, tool):
    """A message and exit status 2, no traceback."""
    assert main(["cassette", *tool]) == 2
    assert capsys.readouterr().err.count("\n") <= 5


@pytest.mark.parametrize("arguments", [["--help"], ["cassette", "--help"], ["cassette", "diff", "--help"]])
def test_help_helps(capsys, arguments):
    """Each level explains itself."""
    with pytest.raises(SystemExit, match="0"):
        main(arguments)
    assert "usage: pytest-wml" in capsys.readouterr().out
