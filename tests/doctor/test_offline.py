"""`pytest-wml doctor` without a service: what shows on this machine, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

KEY = "a-key-that-nobody-may-see"
BARE = ("HOME", "PATH", "LANG", "TMPDIR")


def doctor(folder, *options, **variables):
    """Its exit status, standard output and error, in an environment with nothing of the caller's."""
    environment = {name: os.environ[name] for name in BARE if name in os.environ} | variables
    command = [sys.executable, "-m", "pytest_wml.cli", "doctor", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert KEY not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_without_credentials(tmp_path):
    """The offline part alone, saying so; the suite's own options are read, and no conftest is run."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nwml_software_spec = runtime-23.1-py3.10\nwml_model_type = tensorflow_2.12\n"
    )
    (tmp_path / "conftest.py").write_text("raise AssertionError('run')\n")
    status, out, _ = doctor(tmp_path, WML_MODE="embedded")
    assert status == 0
    lines = out.splitlines()
    assert "pass  mode: embedded (from WML_MODE); ini: " + str(tmp_path / "pytest.ini") in lines
    assert any(line.startswith("warn  software specification runtime-23.1-py3.10: ") for line in lines)
    assert "warn  credentials: none are given; only what shows offline was looked at" in lines
    assert lines[-1].endswith("2 warn, 0 fail")


def test_a_live_suite_without_credentials(tmp_path):
    """What a warning is elsewhere is a failure there; as JSON for machines."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --wml=live --an-option-of-the-conftest\n")
    status, out, _ = doctor(tmp_path, "--json")
    assert status == 0
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --wml=live\n")
    status, out, _ = doctor(tmp_path, "--json")
    told = json.loads(out)
    line = next(line for line in told["lines"] if line["check"] == "credentials")
    assert (status, told["verdict"], line["verdict"]) == (1, "fail", "fail")
    assert "WML_APIKEY" in line["fix"]


def test_mistakes_in_credentials(tmp_path):
    """Each is a line of its own; the key is not shown."""
    variables = {"WML_APIKEY": KEY, "WML_URL": "https://us-north.ml.cloud.ibm.com"}
    status, out, _ = doctor(tmp_path, "--offline", **variables)
    assert status == 1
    assert "apikey='…'" in out
    assert "fail  credentials: IBM Cloud has no region 'us-north' with Watson Machine Learning." in out
    assert "fail  credentials: The credentials name no deployment space." in out


def test_a_credentials_file_that_cannot_be_used(tmp_path):
    """Nothing of it is shown."""
    (tmp_path / "key.json").write_text(f'{{"apikey": "{KEY}", oops')
    status, out, _ = doctor(tmp_path, "--wml-credentials=key.json")
    assert status == 1
    assert "fail  credentials: The credentials file is not JSON." in out


@pytest.mark.parametrize("options", [["--timeout=0"], ["--ca=nowhere.pem"], ["--timeout=x"]])
def test_what_cannot_be_done(tmp_path, options):
    """Exit status 2."""
    assert doctor(tmp_path, *options)[0] == 2


def test_an_option_that_pytest_refuses(tmp_path):
    """The rest is looked at all the same."""
    status, out, _ = doctor(tmp_path, WML_MODE="replya")
    assert status == 0
    assert "warn  options: pytest does not start here: " in out
    assert "WML_MODE has a value that it does not accept" in out
    assert "warn  credentials: " in out
