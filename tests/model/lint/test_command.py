"""`pytest-wml lint` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pytest_wml.tools.cli import main
from tests.model.lint import packing
from tests.model.lint.packing import below, tarred

SAMPLE = str(packing.sample_path())


@pytest.fixture
def nested(tmp_path) -> str:
    path = tmp_path / "nested.tar.gz"
    path.write_bytes(tarred(below(packing.unpacked(packing.sample_path()), "export")))
    return str(path)


def test_a_good_model_exits_with_0(capsys):
    """Warnings are shown and do not fail."""
    assert main(["lint", SAMPLE]) == 0
    out = capsys.readouterr().out
    assert "tensorflow_2.14, runtime-24.1-py3.11" in out
    assert "warn  version: The model was written by TensorFlow" in out
    assert out.rstrip().splitlines()[-1].strip().startswith("0 errors, ")


def test_strict_fails_for_a_warning():
    """For a build that wants none."""
    assert main(["lint", "--strict", SAMPLE]) == 1


def test_a_bad_model_exits_with_1_and_says_what_to_do(capsys, nested):
    """The finding, the service's refusal with how it is known, the way on; errors first."""
    assert main(["lint", SAMPLE, nested]) == 1
    out = capsys.readouterr().out.partition(nested)[2]
    assert "error nested-model: The SavedModel lies in a folder of the archive, not at its root." in out
    assert "where: export/saved_model.pb" in out
    assert "→ 200 load_model_failure: SavedModel file does not exist at" in out
    assert "(recorded by IBM: cloud-annotations issue 45)" in out
    assert "what to do: pack the inner folder: tar -C export -czf model.tar.gz ." in out


def test_what_cannot_be_read_exits_with_2(capsys, tmp_path):
    """With a message instead of a traceback."""
    assert main(["lint", str(tmp_path / "nothing.tar.gz")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_type_and_specification_can_be_given(capsys):
    """In place of the plugin's defaults."""
    assert main(["lint", SAMPLE, "--type", "tensorflow_2.12", "--spec", "spark-mllib_3.4"]) == 1
    assert "type-does-not-fit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options", "stored"),
    [
        ("model.onnx", [], "onnxruntime_1.17, onnxruntime_opset_21"),
        ("model.onnx", ["--spec", "runtime-24.1-py3.11"], "pytorch-onnx_2.1, runtime-24.1-py3.11"),
        ("model.pkl", [], "scikit-learn_1.3, runtime-24.1-py3.11"),
        ("model.pkl", ["--type", "xgboost_2.0"], "xgboost_2.0, runtime-24.1-py3.11"),
        ("notes.txt", [], "tensorflow_2.14, runtime-24.1-py3.11"),
    ],
)
def test_type_and_specification_are_inferred_from_each_model(capsys, tmp_path, name, options, stored):
    """Where they are not given; for what is not recognised they are those of a SavedModel."""
    path = tmp_path / name
    path.write_bytes(b"\x80\x04N.")
    main(["lint", str(path), *options])
    assert f"{path}: {stored}" in capsys.readouterr().out.splitlines()


def test_json_holds_every_finding(capsys, nested):
    """With levels, codes and refusals as members."""
    assert main(["lint", "--json", nested]) == 1
    [told] = json.loads(capsys.readouterr().out)
    assert told["archive"] == nested
    first = told["findings"][0]
    assert (first["level"], first["code"]) == ("error", "nested-model")
    assert (first["refusal"]["status"], first["refusal"]["basis"]) == (200, "recorded by IBM")


@pytest.mark.parametrize("name", ["\x1b[2Jgone", "\udcff", "a\nerror no-model: there is nothing"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_name_in_an_archive_writes_nothing_of_its_own(capfd, tmp_path, name, options):
    """No control of a terminal, no line, and no byte that is no text."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(tarred({**packing.unpacked(packing.sample_path()), name: b"x"}))
    main(["lint", *options, str(path)])
    out = capfd.readouterr().out
    assert name not in out
    assert "error no-model" not in [line.strip()[:14] for line in out.splitlines()]


def test_tensorflow_is_not_imported():
    """Nor numpy's friends that come with it: lint runs where the model is only handed on."""
    code = (
        "import sys; from pytest_wml.tools.cli import main; "
        f"assert main(['lint', {SAMPLE!r}]) == 0; "
        "print([name for name in ('tensorflow', 'keras', 'h5py', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
