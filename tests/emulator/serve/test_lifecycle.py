"""A model goes the whole way against `pytest-wml serve` in another process, from every language at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from pytest_wml.digits import load_digits
from tests.emulator.serve.process import served

pytestmark = pytest.mark.slow
pytest.importorskip("tensorflow")

HERE = Path(__file__).parent
ARCHIVE = str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all; all that it has to complain of is the age of the model's software specification."""
    with served(tmp_path_factory.mktemp("serve")) as running:
        yield running
        assert running.stop() == 0
        # TensorFlow has its own to say.
        told = [line for line in running.errors.splitlines() if line.startswith(("warning: ", "error: ", "Traceback"))]
        assert len(told) == 1
        assert "TensorFlow 2.14" in told[0]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A five and a four, as a scoring sends them."""
    known = load_digits()
    file = tmp_path_factory.mktemp("digits") / "digits.json"
    file.write_text(json.dumps({"input_data": [{"values": [known[5].tolist(), known[4].tolist()]}]}))
    return str(file)


def run(server, *command: str) -> str:
    done = subprocess.run(command, env=server.told_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def classes(predictions) -> list[int]:
    return next(one["values"] for one in predictions if one["id"] == "classes")


@pytest.mark.parametrize("kind", ["cpd", "cloud"])
@pytest.mark.parametrize("package", ["ibm_watson_machine_learning", "ibm_watsonx_ai"])
def test_ibms_clients(server, digits, package, kind):
    """With nothing but the environment that the server names, TLS verified."""
    pytest.importorskip(package)
    said = run(server, sys.executable, str(HERE / "ibms_client.py"), package, kind, ARCHIVE, digits)
    told = json.loads(said.splitlines()[-1])
    assert classes(told["predictions"]) == [5, 4]
    assert told["left"] == []


@pytest.mark.parametrize("kind", ["cpd", "cloud"])
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_node(server, digits, kind):
    """Through fetch, and as IBM Cloud through https."""
    told = json.loads(run(server, "node", str(HERE / "lifecycle.mjs"), kind, ARCHIVE, digits))
    assert classes(told["predictions"]) == [5, 4]
    assert told["left"] == 404


@pytest.mark.parametrize("kind", ["cpd", "cloud"])
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl(server, digits, kind):
    """In a shell."""
    scored, left = run(server, "sh", str(HERE / "lifecycle.sh"), kind, ARCHIVE, digits).splitlines()
    assert classes(json.loads(scored)["predictions"]) == [5, 4]
    assert left == "404"


def test_a_contract_runs_live_against_it(server, tmp_path):
    """A suite of pytest-wml takes it for a Cloud Pak for Data, told by the same environment."""
    (tmp_path / "test_contract.py").write_text(
        "def test_a_five_and_a_four(wml_deployment, wml_digits):\n"
        "    assert wml_deployment.predict([wml_digits[5], wml_digits[4]]).classes.tolist() == [5, 4]\n"
    )
    assert "1 passed" in run(server, sys.executable, "-m", "pytest", "-n", "0", "--wml=live", str(tmp_path))
