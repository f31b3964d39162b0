"""The tools read the options of the suite as pytest does: from any folder below its root, in each of its files."""

from __future__ import annotations

import json
import shutil

import pytest

from pytest_wml.replay.cassette.file import dump, write
from pytest_wml.tools.cli import main
from tests.model.lint import packing
from tests.replay.test_tools import cassette


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """A suite with folders of its own; the working folder is one below its root."""
    for variable in ("WML_MODE", "WML_MODEL", "WML_CASSETTES", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\nwml_cassettes = 'recorded'\nwml_model = 'digits.tar.gz'\n"
        "wml_model_type = 'tensorflow_2.12'\nwml_software_spec = 'runtime-24.1-py3.11'\n"
    )
    shutil.copy(packing.sample_path(), tmp_path / "digits.tar.gz")
    write(tmp_path / "recorded" / "tiny.yaml", dump(cassette()))
    (tmp_path / "tests" / "models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tests" / "models")
    return tmp_path


def test_recordings_are_listed(suite, capsys):
    """`cassette list` without a folder."""
    assert main(["cassette", "list"]) == 0
    assert capsys.readouterr().out.split()[0] == "tiny"


def test_recordings_are_scanned(suite, capsys):
    """`cassette scan` without a path."""
    (suite / "recorded" / "old.yaml").write_text("apikey: 5f2e61b8-c0de-4a11-9b1d-0123456789ab\n")
    main(["cassette", "scan"])
    assert "../../recorded/old.yaml:1:" in capsys.readouterr().out


def test_recordings_are_verified(suite, capsys):
    """`cassette verify` without a path; the suite's model is at hand."""
    main(["cassette", "verify", "--dry-run"])
    assert "../../recorded" not in capsys.readouterr().err


def test_the_last_replay_is_that_of_the_root(suite, capsys):
    """`cassette prune` looks below the root folder."""
    assert main(["cassette", "prune"]) == 2
    assert f"looked at: {suite / '.pytest_cache' / 'v' / 'wml' / 'played'}" in capsys.readouterr().err


def test_the_models_are_linted(suite, capsys):
    """`lint` without an archive, with the type that the suite stores it as; options win."""
    main(["lint"])
    assert "../../digits.tar.gz: tensorflow_2.12, runtime-24.1-py3.11" in capsys.readouterr().out
    main(["lint", "--type", "tensorflow_2.14"])
    assert "../../digits.tar.gz: tensorflow_2.14, runtime-24.1-py3.11" in capsys.readouterr().out
    main(["lint", str(suite / "digits.tar.gz")])
    assert "digits.tar.gz: tensorflow_2.12, runtime-24.1-py3.11" in capsys.readouterr().out


def test_a_first_contract_is_for_the_model(suite, capsys):
    """`contract init` without an archive."""
    assert main(["contract", "init"]) == 0
    assert "digits.wml.yaml written" in capsys.readouterr().out
    assert "../../digits.tar.gz" in (suite / "tests" / "models" / "digits.wml.yaml").read_text()


def test_variables_win_over_the_ini(suite, capsys, monkeypatch):
    """As in a run: WML_CASSETTES counts from the working folder."""
    monkeypatch.setenv("WML_CASSETTES", "here")
    write(suite / "tests" / "models" / "here" / "other.yaml", dump(cassette()))
    assert main(["cassette", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["cassettes"]) == 1


def test_where_pytest_does_not_start(suite, capsys):
    """It is said, with pytest's reason; what is named explicitly is worked with all the same."""
    (suite / "pyproject.toml").write_text("[tool.pytest.ini_options]\nwml_casettes = 'recorded'\n")
    assert main(["cassette", "list"]) == 2
    told = capsys.readouterr().err
    assert "pytest does not start here" in told
    assert "wml_casettes" in told
    assert main(["cassette", "list", "../../recorded"]) == 0


def test_without_any_model(tmp_path, monkeypatch, capsys):
    """`lint` of nothing is an error that says how to name something."""
    monkeypatch.chdir(tmp_path)
    assert main(["lint"]) == 2
    assert "set wml_model" in capsys.readouterr().err
