"""The shipped digits, their drawings and the shipped model."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from pytest_wml.digits import load_digits
from pytest_wml.errors import BadPayload
from pytest_wml.model.archive import read_archive, safe_extract
from pytest_wml.model.drawing import draw_digit, side_by_side
from pytest_wml.model.export import export
from pytest_wml.model.local import LocalModel
from pytest_wml.model.mnist import load_mnist
from tests.model.conftest import ROOT, run_python

SHIPPED = Path(str(resources.files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def test_digits_are_ten_a_class() -> None:
    """A hundred real digits, float32 in 0..1, ten of each, held out from training."""
    digits = load_digits()
    assert (digits.images.shape, digits.images.dtype) == ((100, 784), np.float32)
    assert (digits.labels.dtype, np.bincount(digits.labels).tolist()) == (np.int64, [10] * 10)
    assert (digits.images.min(), digits.images.max()) == (0.0, 1.0)
    held_out = {np.round(image * 255).tobytes() for image in load_mnist("small").held_out_images}
    assert all(np.round(image * 255).tobytes() in held_out for image in digits.images)


def test_a_digit_is_asked_for_by_its_label() -> None:
    """digits[5] is the first of the fives; numpy's integers do too; the shared arrays cannot be changed."""
    digits = load_digits()
    assert np.array_equal(digits[5], digits.images[digits.labels == 5][0])
    assert np.array_equal(digits[np.int64(4)], digits.all_of(4)[0])
    assert list(digits) == list(range(10))
    assert 5 in digits
    assert 10 not in digits
    assert len(digits) == 100
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0, 0] = 1


@pytest.mark.parametrize("label", [10, -1, "five", 4.5, None])
def test_a_wrong_label_is_a_key_error(label: object) -> None:
    """What is no digit is refused as a KeyError with the way on."""
    with pytest.raises(KeyError) as caught:
        load_digits()[label]  # type: ignore[index]
    assert str(caught.value).startswith(f"There is no digit {label!r}.\n  what to do: digits[0] to digits[9]")


def test_the_shipped_model_is_sure_of_the_clear_digits() -> None:
    """The sample archive gets every shipped digit right, and the first of each class with 99.9 %."""
    digits = load_digits()
    with LocalModel(SHIPPED) as model:
        answer = model.predict(digits.images)
    assert answer["classes"].tolist() == digits.labels.tolist()
    assert answer["probabilities"][::10].max(axis=1).min() > 0.999


def test_the_shipped_model_is_small_and_known() -> None:
    """The sample archive is below a megabyte, has the sample's signature and a digest of the model's own."""
    archive = read_archive(SHIPPED)
    assert archive.size < 1_000_000
    assert archive.basis == "model"
    assert str(archive.signature) == (
        "serving_default(image: float32 [None, 784]) -> classes: int64 [None], probabilities: float32 [None, 10]"
    )


def test_exported_again_the_shipped_model_is_the_same(tmp_path: Path) -> None:
    """The shipped weights, exported anew by the TensorFlow that wrote them, give the shipped model's digest."""
    import tensorflow as tf

    old = safe_extract(SHIPPED, tmp_path / "old")
    if tf.__version__.encode() not in (old / "saved_model.pb").read_bytes():
        pytest.skip(f"the shipped archive was written by another TensorFlow than {tf.__version__}")
    weights = [weight.numpy() for weight in tf.saved_model.load(str(old)).ordered]
    export(weights, tmp_path / "new")
    assert read_archive(tmp_path / "new").model_digest == read_archive(SHIPPED).model_digest


@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 1)])
@pytest.mark.parametrize("brightest", [1, 255])
def test_a_digit_is_drawn_in_14_lines(shape: tuple[int, ...], brightest: int) -> None:
    """Whatever its shape and scale, a digit is the same 14 lines of 28 characters."""
    drawing = draw_digit(load_digits()[5].reshape(shape) * brightest)
    assert drawing == draw_digit(load_digits()[5])
    assert [len(line) for line in drawing.split("\n")] == [28] * 14
    assert set(drawing) <= set(" ▀▄█\n")
    assert "█" in drawing


def test_a_terminal_without_blocks_gets_ascii() -> None:
    """Where the encoding lacks half blocks, or nobody knows it, shades of ASCII are drawn."""
    for encoding in ("ascii", "latin-1", "no such encoding"):
        drawing = draw_digit(load_digits()[4], encoding=encoding)
        assert drawing.isascii()
        assert len(drawing.split("\n")) == 14


def test_only_images_are_drawn() -> None:
    """Another shape is refused; an empty or broken image is drawn as nothing."""
    with pytest.raises(BadPayload, match=r"given: \[2, 784\]"):
        draw_digit(np.zeros((2, 784)))
    assert draw_digit(np.zeros(784)).strip() == ""
    assert draw_digit(np.full(784, np.nan)).strip() == ""


def test_drawings_stand_side_by_side() -> None:
    """Blocks of any height stand beside each other, each above its caption."""
    assert side_by_side(["ab\ncd", "x"], ["left", "r"]) == "ab    x\ncd\nleft  r"
    assert side_by_side(["ab", "x"]) == "ab  x\n"
    assert side_by_side([]) == ""


@pytest.mark.slow
def test_the_training_script_explains_itself(tmp_path: Path) -> None:
    """--help names every option; a training prints device, accuracy, signature, digests and packs an archive."""
    script = str(ROOT / "sample_model" / "train.py")
    text = run_python(script, "--help")
    assert all(option in text for option in ("--seed", "--data", "--examples", "--out"))
    printed = run_python(script, "--examples", "640", "--data", "small", "--out", str(tmp_path))
    archive = read_archive(tmp_path / "mnist_cnn.tar.gz")
    assert re.search(r"^step 5/5  loss ", printed, re.M)
    assert re.search(r"^device     (CPU|GPU: .+)$", printed, re.M)
    assert f"signature  {archive.signature}\n" in printed
    assert f"digests    archive {archive.archive_digest}\n" in printed
    assert f"           model   {archive.model_digest}\n" in printed
