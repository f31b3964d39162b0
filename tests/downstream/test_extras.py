"""What works with which extra, and what is said where one is missing."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.downstream.environments import ROOT, fresh, serving

WITHOUT_PARITY = "pytest -k 'not parity'"


def test_without_an_extra_the_tools_work(bare, pump):
    """All that only look at files, and say what is not there."""
    for command in ("lint pump.tar.gz", "contract init pump.tar.gz -o new.wml.yaml", "cassette scan", "doctor"):
        bare.must(f"pytest-wml {command}", pump)
    told = bare.must("pytest-wml --version", pump)
    assert "tensorflow not installed" in told
    assert "ibm-watson-machine-learning not installed" in told


def test_it_is_installed_from_a_clone(tmp_path, wheel):
    """As README says, beside the clone; an extra of what is installed needs no index that knows of it."""
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), tmp_path / "pytest-wml"], check=True)
    (command,) = re.findall(r"^pip install .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command == 'pip install "./pytest-wml[wml,tensorflow]"'
    with fresh(tmp_path / "venv", wheel) as environment:
        nowhere = {"PIP_FIND_LINKS": "", "PIP_CONSTRAINT": ""}
        environment.must(command.replace(",tensorflow", "") + " --quiet", tmp_path, **nowhere)
        environment.must('pip install --quiet "pytest-wml[serve]"', tmp_path, **nowhere)
        environment.must("pytest-wml init pump", tmp_path)
        assert "10 passed, 1 skipped" in environment.must("pytest", tmp_path / "pump")


def test_a_project_without_wml_runs_without_an_extra(bare, tmp_path):
    """As if the plugin were not there."""
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    assert "1 passed" in bare.must("pytest -W error", tmp_path)


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("pytest", "pytest-wml[wml]"),
        ("pytest", "pytest-wml[watsonx]"),
        ("pytest-wml serve", "pytest-wml[serve]"),
    ],
)
def test_what_an_extra_brings_is_named_without_it(bare, pump, command, extra):
    """And how to install it; no traceback."""
    ended = bare.run(command, pump)
    assert ended.code != 0
    assert f'pip install "{extra}"' in ended.output
    assert "Traceback" not in ended.output
    assert "ModuleNotFoundError" not in ended.output


FOR_TENSORFLOW = """
def test_training(wml_trained_cnn):
    pass
"""


@pytest.mark.parametrize("name", ["replaying", "watsonx"])
def test_scoring_without_tensorflow_names_its_extra(request, pump, name):
    """In the embedded service and in the fixture that trains, with either client."""
    environment = request.getfixturevalue(name)
    (pump / "test_training.py").write_text(FOR_TENSORFLOW)
    ended = environment.run("pytest --wml=embedded -p no:randomly", pump)
    assert ended.code == 1
    assert "ERROR pump.wml.yaml::signature - The package tensorflow is needed" in ended.output
    assert "ERROR test_training.py::test_training - The package keras is needed" in ended.output
    assert 'pip install "pytest-wml[tensorflow]"' in ended.output


def test_a_png_without_its_extra(replaying, pump):
    """In a contract file."""
    contract = (pump / "pump.wml.yaml").read_text()
    (pump / "five.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (pump / "pump.wml.yaml").write_text(contract.replace("[52, 1.8, 6.1, 10.8]", "five.png"))
    ended = replaying.run("pytest", pump)
    assert ended.code == 1
    assert 'pip install "pytest-wml[images]"' in ended.output


def test_the_successor_of_ibms_client_alone(watsonx, scoring, pump, tmp_path):
    """The same tests, recorded through ibm-watsonx-ai from a server, and replayed."""
    assert not watsonx.has("ibm_watson_machine_learning")
    for recording in (pump / "cassettes").iterdir():
        recording.unlink()
    with serving(scoring, tmp_path) as given:
        # Which of its two kinds a service is, a client has to be told in replay too.
        kind = {name: text for name, text in given.items() if name.startswith("WML_") and "VERIFY" not in name}
        assert "10 passed" in watsonx.must(f"{WITHOUT_PARITY} --wml-live --wml-record", pump, **given)
    assert "ibm-watsonx-ai" in (pump / "cassettes" / "pump.yaml").read_text()
    assert "10 passed" in watsonx.must(WITHOUT_PARITY, pump, **kind)


def test_the_newest_numpy_goes_with_the_successor(watsonx):
    """Only IBM's older client needs numpy 1."""
    told = watsonx.must('python -c "import numpy, pandas; print(numpy.__version__)"', watsonx.folder)
    assert int(told.partition(".")[0]) >= 2
