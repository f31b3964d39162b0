"""What cannot be checked is refused, with what is wrong and what to do."""

from __future__ import annotations

import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_wml import contract
from pytest_wml.contract import BadContract
from pytest_wml.contract.images import is_image
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import labels_of, rows_of
from pytest_wml.model.signature import Signature, TensorSpec

TAKES_784 = Signature("serving_default", (TensorSpec("image", "float32", (None, 784)),), ())
FOUR = np.ones((4, 784), dtype=np.float32)


@pytest.fixture(scope="module")
def unasked():
    """What stands for a deployment where the input is refused before anything is asked."""
    return SimpleNamespace(archive=SimpleNamespace(signature=TAKES_784), name="unasked", mode="embedded")


def with_nan():
    images = FOUR.copy()
    images[1, 3] = np.nan
    return images


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.empty((0, 784)), "There is nothing to check: the rows are empty"),
        ([], "There is nothing to check"),
        ({}, "There is nothing to check: the mapping of inputs"),
        (with_nan(), r"Values of the rows are NaN or infinite[\s\S]*rows: 1\s[\s\S]*nan at \[1, 3\]"),
        ([[1.0, 2.0], [1.0]], "Unreadable: the rows cannot be converted to an array"),
        ([object()], "Unreadable[\\s\\S]*numpy type object"),
        ("digits.jpg", "Unreadable[\\s\\S]*they are text, but the model takes image: float32"),
        ({"a": FOUR, "b": FOUR[:2]}, r"different lengths[\s\S]*a: 4, b: 2"),
    ],
    ids=["empty", "no list", "no input", "NaN", "ragged", "objects", "text", "lengths"],
)
def test_images_that_are_none(unasked, images, message):
    """Each says what is wrong before anything is sent."""
    with pytest.raises(BadContract, match=message):
        contract.check_probabilities(unasked, images)


@pytest.mark.parametrize(
    ("given", "length"),
    [(FOUR[0], 1), (FOUR[0].reshape(28, 28), 1), (FOUR, 4), (FOUR.reshape(4, 28, 28), 4), (FOUR.tolist(), 4)],
    ids=["flat image", "image", "rows", "images", "lists"],
)
def test_one_image_or_many(unasked, given, length):
    """A single image gets its batch axis."""
    assert len(rows_of(unasked, given)) == length


def test_images_from_files(unasked, tmp_path, digits):
    """.npy as it is, .png grey in 0..1; several files make a batch."""
    image_module = pytest.importorskip("PIL.Image")
    np.save(tmp_path / "five.npy", digits[5])
    pixels = np.rint(digits[5].reshape(28, 28) * 255).astype(np.uint8)
    image_module.fromarray(pixels).save(tmp_path / "five.png")
    (from_array,) = rows_of(unasked, [tmp_path / "five.npy"]).arrays.values()
    (from_image,) = rows_of(unasked, [str(tmp_path / "five.png")] * 2).arrays.values()
    np.testing.assert_array_equal(from_image, np.stack([from_array[0].reshape(28, 28)] * 2))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.npy", None, "No such file"),
        ("empty.npy", b"", "unreadable"),
        ("pickled.npy", b"\x80\x04N.", "unreadable"),
        ("broken.png", b"\x89PNG\r\n\x1a\n" + zlib.compress(b"nothing"), "unreadable"),
        ("photo.jpg", b"", "the file type is unknown: .jpg"),
    ],
)
def test_an_unreadable_file(unasked, tmp_path, name, content, message):
    """The file and the reason are named, and nothing in it is run."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadContract, match=message) as caught:
        rows_of(unasked, tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2, 3], r"numbers of labels and images differ[\s\S]*labels: 3[\s\S]*images: 4"),
        (np.eye(4), r"one class for each row[\s\S]*argmax"),
        ([[1, 2], [3]], "one class for each row"),
    ],
    ids=["fewer", "one-hot", "ragged"],
)
def test_labels_that_do_not_fit(unasked, labels, message):
    """Both numbers, or the way from one-hot rows, are told."""
    with pytest.raises(BadContract, match=message):
        contract.check_accuracy(unasked, FOUR, labels, floor=0.5)


@pytest.mark.parametrize("labels", [[5, 4], [5.0, 4.0], ["5", "4"], [b"5", b"4"], [[5], [4]], np.array([5, 4], "u1")])
def test_labels_of_any_type(labels):
    """A class is the same as number and as text."""
    assert labels_of(labels, 2).tolist() == ["5", "4"]


@pytest.mark.parametrize(
    ("dtype", "value", "fits"),
    [
        ("float32", 1e-5, True),
        ("float32", 1e-8, False),
        ("float32", 0, False),
        ("float64", 1e-12, True),
        ("float16", 1e-4, False),
        ("float32", -1, False),
        ("float32", float("nan"), False),
        ("float32", True, False),
        ("float32", "1e-5", False),
    ],
)
def test_a_tolerance_below_the_numbers_precision(dtype, value, fits):
    """What the answer's own type cannot keep would fail by chance."""
    if fits:
        assert check_tolerance("atol", value, [dtype]) == value
        return
    with pytest.raises(BadContract, match=r"atol(=.* is below the precision| is not a number)"):
        check_tolerance("atol", value, [dtype])


@pytest.mark.parametrize(
    ("check", "options", "message"),
    [
        ("latency", {"concurrency": -1}, "concurrency must be a whole number of 1 or more, not -1"),
        ("latency", {"concurrency": [2, 0]}, "not 0"),
        ("latency", {"concurrency": []}, "no concurrency"),
        ("latency", {"requests": 0}, "requests must be"),
        ("latency", {"budget": {"p90": 1}}, "p50, p95 and p99"),
        ("latency", {"budget": {"p50": -1}}, "budget of p50 must be a number above 0"),
        ("repeatability", {"n": 1}, "n must be a whole number of 2 or more"),
        ("batch_consistency", {"singles": 0}, "singles must be"),
        ("invariance", {"at_least": 95}, "share from 0 to 1, not 95"),
        ("invariance", {"transforms": {}}, "no transform was given"),
        ("signature", {"inputs": {"image": "float32"}}, "promised inputs cannot be read"),
        ("rest", {"rtol": 1e-30}, "below the precision"),
        ("parity", {"atol": 1e-30}, "below the precision"),
    ],
)
def test_numbers_that_mean_nothing(unasked, check, options, message):
    """Each is refused before anything is asked."""
    given = {} if check == "signature" else {"images": FOUR}
    with pytest.raises(BadContract, match=message):
        getattr(contract, f"check_{check}")(unasked, **given, **options)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda images: images[:, :2], r"changes the shape[\s\S]*before: \[4, 4\][\s\S]*after: \[4, 2\]"),
        (lambda images: images[:2], "changes the shape"),
        (lambda images: images * np.nan, "NaN or infinite"),
        ("shift", "not a function"),
    ],
    ids=["columns", "rows", "NaN", "no function"],
)
def test_a_transform_that_spoils_its_images(models, transform, message):
    """It is named, with both shapes."""
    with pytest.raises(BadContract, match=message):
        contract.check_invariance(models("good"), np.eye(4, dtype=np.float32), {"mine": transform})


NOT_IMAGES = {
    "four columns": (np.eye(4, dtype=np.float32), "lambda rows: rows * 1.01"),
    "whole numbers": (np.eye(9, dtype=np.int64), "lambda rows: rows + 1"),
    "64 columns": (np.ones((3, 64)), "lambda rows: rows * 1.01"),
    "a sequence": (np.ones((3, 24, 5)), "lambda rows: rows * 1.01"),
    "a table of texts": (np.array([["a", "b"]]), "lambda rows: np.char.upper(rows)"),
    "a text": (["good", "bad"], "lambda rows: np.char.upper(rows)"),
    "several inputs": (
        {"age": np.ones((3, 1)), "image": np.ones((3, 28, 28))},
        "lambda inputs: {**inputs, 'age': inputs['age'] * 1.01}",
    ),
}


@pytest.mark.parametrize(("rows", "example"), NOT_IMAGES.values(), ids=NOT_IMAGES)
def test_the_ready_transforms_are_for_images(rows, example):
    """For other rows the check asks for transforms, before anything is sent; its example works on these rows."""
    anything = SimpleNamespace(archive=SimpleNamespace(signature=None), name="table", mode="embedded")
    with pytest.raises(BadContract, match=r"The built-in transforms are for images[\s\S]*given: ") as caught:
        contract.check_invariance(anything, rows)
    assert f"wml_contract.invariance(rows, {{'another': {example}}})" in str(caught.value)
    given = rows_of(anything, rows).model_input
    changed = eval(example, {"np": np})(given)
    assert np.shape(changed) == np.shape(given)


@pytest.mark.parametrize("shape", [(784,), (28, 28), (8, 8), (20, 30, 3), (3, 32, 32), (1, 28, 28), (28, 28, 1)])
def test_images_are_known_by_their_shape(shape):
    """Flat MNIST images, square grey ones, and those with channels, first or last."""
    assert is_image(shape)


def test_a_transform_gets_a_copy(models):
    """One that changes its argument in place spoils nobody else's images."""
    images = np.eye(4, dtype=np.float32)

    def darken(given):
        given *= 0.5
        return given

    assert contract.check_invariance(models("good"), images, {"once": darken, "again": darken}).holds
    assert images.max() == 1


def test_a_missing_reference_says_how_to_record(unasked, tmp_path):
    """The file that was looked for, and the command."""
    with pytest.raises(BadContract, match=r"no reference[\s\S]*x.reference.json[\s\S]*--wml-record"):
        contract.check_drift(unasked, FOUR, Path(tmp_path, "x.reference.json"))


def test_parity_on_a_replay_is_refused(unasked):
    """A plain function has nothing to compare with."""
    replayed = SimpleNamespace(**{**vars(unasked), "mode": "replay"})
    with pytest.raises(BadContract, match="a replay does not load"):
        contract.check_parity(replayed, FOUR)
