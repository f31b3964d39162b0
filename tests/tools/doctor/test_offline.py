"""`pytest-wml doctor` without a service: what shows on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pytest_wml.tools.cli import main

KEY = "a-key-that-nobody-may-see"
BARE = ("HOME", "PATH", "LANG", "TMPDIR")


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Gives its exit status and standard output, in an environment with nothing of the caller's."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - {*BARE, "PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)

    def told(*options, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        status = main(["doctor", *options])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        return status, said.out

    return told


def test_without_credentials(tmp_path):
    """The offline part alone, saying so; the suite's own options are read, and no conftest is run."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nwml_software_spec = runtime-23.1-py3.10\nwml_model_type = tensorflow_2.12\n"
    )
    (tmp_path / "conftest.py").write_text("raise AssertionError('run')\n")
    environment = {name: os.environ[name] for name in BARE if name in os.environ} | {"WML_MODE": "embedded"}
    command = [sys.executable, "-m", "pytest_wml.tools.cli", "doctor"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "pass  mode: embedded (from WML_MODE); ini: " + str(tmp_path / "pytest.ini") in lines
    assert any(line.startswith("warn  software specification runtime-23.1-py3.10: ") for line in lines)
    assert "warn  credentials: none are given; only the offline checks were done" in lines
    assert lines[-1].endswith("2 warn, 0 fail")


def test_a_live_suite_without_credentials(doctor, tmp_path):
    """What a warning is elsewhere is a failure there; as JSON for machines."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --wml=live --an-option-of-the-conftest\n")
    status, out = doctor("--json")
    assert status == 0
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --wml=live\n")
    status, out = doctor("--json")
    told = json.loads(out)
    line = next(line for line in told["lines"] if line["check"] == "credentials")
    assert (status, told["verdict"], line["verdict"]) == (1, "fail", "fail")
    assert "WML_APIKEY" in line["fix"]


def test_mistakes_in_credentials(doctor):
    """Each is a line of its own; the key is not shown."""
    variables = {"WML_APIKEY": KEY, "WML_URL": "https://us-north.ml.cloud.ibm.com"}
    status, out = doctor("--offline", **variables)
    assert status == 1
    assert "apikey='…'" in out
    assert "fail  credentials: IBM Cloud has no region 'us-north' with Watson Machine Learning." in out
    assert "fail  credentials: The credentials contain no deployment space." in out


def test_a_credentials_file_that_cannot_be_used(doctor, tmp_path):
    """Nothing of it is shown."""
    (tmp_path / "key.json").write_text(f'{{"apikey": "{KEY}", oops')
    status, out = doctor("--wml-credentials=key.json")
    assert status == 1
    assert "fail  credentials: The credentials file is not JSON." in out


@pytest.mark.parametrize("options", [["--timeout=0"], ["--ca=nowhere.pem"]])
def test_what_cannot_be_done(doctor, options):
    """Exit status 2."""
    assert doctor(*options)[0] == 2


def test_what_is_no_number(doctor):
    """Exit status 2 as well."""
    with pytest.raises(SystemExit, match="2"):
        doctor("--timeout=x")


def test_an_option_that_pytest_refuses(doctor):
    """The rest is looked at all the same."""
    status, out = doctor(WML_MODE="replya")
    assert status == 0
    assert "warn  options: pytest does not start here: " in out
    assert "WML_MODE has an invalid value" in out
    assert "warn  credentials: " in out
