"""`pytest-wml contract init`: a first file that passes at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
import yaml

from pytest_wml.contract.files import quoting, schema
from pytest_wml.contract.files.document import load
from pytest_wml.contract.files.nodes import tree
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.tools.cli import main
from tests.emulator import tiny_models

QUIET = ("-p", "no:recording")


def pair(folder):
    """A Keras 3 network of two inputs: pixels float32 [?, 3] and bias float32 [?, 1] → [?, 2]."""
    import keras

    left, right = keras.Input((3,), name="pixels"), keras.Input((1,), name="bias")
    joined = keras.layers.Concatenate()([left, right])
    out = keras.layers.Dense(2, activation="softmax", kernel_initializer="ones", name="probabilities")(joined)
    keras.Model({"pixels": left, "bias": right}, {"probabilities": out}).export(str(folder), verbose=False)
    return tiny_models.packed(folder)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def pixels_archive(tmp_path_factory):
    return tiny_models.classifier(tmp_path_factory.mktemp("starting") / "pixels")


def test_the_sample_gets_its_signature_and_digits(here, capsys):
    """With the line that editors look for, and a schema that the file keeps to."""
    assert main(["contract", "init", str(sample_archive())]) == 0
    assert "mnist_cnn.wml.yaml written; check it with: pytest --wml=embedded" in capsys.readouterr().out
    written = load(here / "mnist_cnn.wml.yaml")
    assert written.promises[:3] == ("signature", "examples", "probabilities")
    assert [example.label for example in written.examples] == [str(digit) for digit in range(10)]
    assert np.load(here / "mnist_cnn.samples" / "5.npy").shape == (784,)
    text = (here / "mnist_cnn.wml.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=contract.schema.json\n")
    assert (here / "contract.schema.json").exists()
    assert not list(jsonschema.Draft7Validator(schema.json_schema()).iter_errors(yaml.safe_load(text)))


def test_tensorflow_is_not_needed(here):
    """Nor loaded where it is installed."""
    program = (
        "import sys; from pytest_wml.tools.cli import main; "
        f"main(['contract', 'init', {str(sample_archive())!r}]); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_nothing_is_overwritten(here, pixels_archive, capsys):
    """But by --force."""
    target = here / "pixels.wml.yaml"
    target.write_text("mine")
    assert main(["contract", "init", str(pixels_archive)]) == 2
    assert "pixels.wml.yaml exists already" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["pixels.wml.yaml"]
    assert target.read_text() == "mine"
    assert main(["contract", "init", str(pixels_archive), "--force"]) == 0
    assert load(target).promises


def test_without_samples_the_file_says_what_to_fill_in(here, pixels_archive):
    """As comments; rows of zeros are sent until then."""
    main(["contract", "init", str(pixels_archive)])
    text = (here / "pixels.wml.yaml").read_text()
    assert "# examples:" in text
    assert "examples" not in load(here / "pixels.wml.yaml").top.values


def test_a_model_without_a_signature_promises_what_needs_none(here, capsys):
    """What it is stored as is inferred; the rest waits for rows, as comments."""
    (here / "model.pkl").write_bytes(b"\x80\x04N.")
    assert main(["contract", "init", "model.pkl"]) == 0
    assert "check it with: pytest --wml=embedded --wml-allow-pickle model.wml.yaml" in capsys.readouterr().out
    assert load(here / "model.wml.yaml").promises == ("errors",)
    text = (here / "model.wml.yaml").read_text()
    assert "# type: scikit-learn_1.3\n# spec: runtime-24.1-py3.11\n\n# The model's inputs cannot be read" in text
    assert "\n# repeatability: yes\n" in text


def test_rows_for_a_model_without_a_signature(here):
    """Are its examples, and let it promise more."""
    (here / "model.onnx").write_bytes(b"x")
    np.savez("rows.npz", images=np.eye(2), labels=[0, 1])
    assert main(["contract", "init", "model.onnx", "--samples", "rows.npz"]) == 0
    assert load(here / "model.wml.yaml").promises == ("examples", "errors", "repeatability", "latency")


def test_a_folder_of_samples_is_referred_to(here, pixels_archive):
    """A few of each class, by their own files."""
    for label in ("bright", "no"):
        for number in range(8):
            (here / "images" / label).mkdir(parents=True, exist_ok=True)
            np.save(here / "images" / label / f"{number}.npy", np.zeros((2, 2, 1)))
    main(["contract", "init", str(pixels_archive), "--samples", "images", "-o", "contracts/p.wml.yaml"])
    written = load(here / "contracts" / "p.wml.yaml")
    assert [example.label for example in written.examples] == ["bright"] * 5 + ["no"] * 5
    assert written.examples[0].row.text == "../images/bright/0.npy"
    assert "# accuracy: {samples: ../images, floor: 0.95}" in written.path.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.tar.gz"], "The model archive cannot be opened."),
        (["notes.txt"], "notes.txt is not a model that is recognised."),
        ([str(sample_archive()), "-o", "contract.yaml"], "pytest would not find contract.yaml"),
        ([str(sample_archive()), "--samples", "notes.txt"], "The samples are unreadable."),
        ([str(sample_archive()), "--samples", "."], "none of its folders contains a .png or .npy file"),
        ([str(sample_archive()), "-o", "notes.txt/x.wml.yaml"], "cannot be written"),
    ],
)
def test_what_cannot_be_used_is_told(here, capsys, arguments, told):
    """In our words."""
    (here / "notes.txt").write_text("hello")
    assert main(["contract", "init", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "text", ["no", "5", "1e5", "a b", 'q"\\', "é", "x\n\x07", "~", "", "a: b", "#", "null", "x\u2028"]
)
def test_a_text_is_read_back_as_it_was(text):
    """By YAML of either kind, and by the parser."""
    line = quoting.text(text)
    assert yaml.safe_load(f"x: {line}") == {"x": text}
    assert tree(f"x: {line}".encode()).entries[0][1].text == text


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mnist_cnn", "pair", "predict_images"])
def test_a_first_file_passes_at_once(pytester, model):
    """Recorded, and replayed; with samples for the one that takes two inputs."""
    given = []
    if model == "mnist_cnn":
        shutil.copy(sample_archive(), "mnist_cnn.tar.gz")
    else:
        {"pair": pair, "predict_images": tiny_models.predict_images}[model](pytester.path / model)
        shutil.rmtree(pytester.path / model)
    if model == "pair":
        rows = {"pixels": np.eye(3, dtype=np.float32), "bias": np.zeros((3, 1), np.float32)}
        np.savez("samples.npz", **rows, labels=[0, 0, 0])
        given = ["--samples", "samples.npz"]
    assert main(["contract", "init", f"{model}.tar.gz", *given]) == 0
    tests = len(load(pytester.path / f"{model}.wml.yaml").promises)
    assert tests >= 5
    for arguments in (["--wml=embedded", "--wml-record"], []):
        pytester.runpytest_inprocess(*QUIET, *arguments).assert_outcomes(passed=tests)
    assert os.listdir("cassettes")
