"""Signatures: text, JSON, and which one a deployment answers with."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.errors import BadArchive
from pytest_wml.model.archive import read_archive
from pytest_wml.model.signature import Signature, TensorSpec, served
from tests.model.conftest import Models

lengths = st.none() | st.integers(0, 10_000)
specs = st.builds(TensorSpec, st.text(), st.text(), st.none() | st.lists(lengths, max_size=5).map(tuple))
sides = st.lists(specs, max_size=4).map(tuple)


def test_a_signature_reads_like_a_function() -> None:
    """A signature's text names every tensor with its type and shape."""
    image = TensorSpec("image", "float32", (None, 784))
    classes, other = TensorSpec("classes", "int64", (None,)), TensorSpec("other", "string", None)
    assert str(Signature("serving_default", (image,), (classes, other))) == (
        "serving_default(image: float32 [None, 784]) -> classes: int64 [None], other: string of unknown rank"
    )


@given(st.builds(Signature, st.text(), sides, sides))
def test_json_keeps_a_signature(signature: Signature) -> None:
    """What as_json gives survives json.dumps and from_json."""
    assert Signature.from_json(json.loads(json.dumps(signature.as_json()))) == signature


@pytest.mark.parametrize("value", [None, [], {}, {"name": "x", "inputs": [{}], "outputs": []}, {"name": 1}, "text"])
def test_json_of_something_else_is_refused(value: object) -> None:
    """A value that is no signature is a BadArchive that shows the value."""
    with pytest.raises(BadArchive, match="A stored signature cannot be read"):
        Signature.from_json(value)


def test_serving_default_wins_then_the_first_by_name() -> None:
    """A deployment answers with serving_default, else with the first signature by name."""
    one, two, default = (Signature(name, (), ()) for name in ("b", "a", "serving_default"))
    assert served((one, two, default)) is default
    assert served((one, two)) is two
    assert served((one,)) is one
    assert served(()) is None


@pytest.mark.parametrize(
    "kind",
    [
        "sample",
        "keras_export",
        "keras_saved",
        "tf_keras_trained",
        "loops_and_tables",
        "several_signatures",
        "old_style",
        "old_style_partitioned",
        "no_variables",
    ],
)
def test_signatures_are_tensorflows_own(models: Models, kind: str) -> None:
    """Read without TensorFlow, every signature is what TensorFlow itself says."""
    read = read_archive(models.first / kind).signatures
    said = models.tensorflow_says(kind)
    assert [signature.name for signature in read] == sorted(said)
    for signature in read:
        sides = [
            {spec.name: [spec.dtype, None if spec.shape is None else list(spec.shape)] for spec in side}
            for side in (signature.inputs, signature.outputs)
        ]
        assert sides == said[signature.name]


def test_a_model_without_serving_default_answers_with_its_only_signature(models: Models) -> None:
    """A TensorFlow 1 model's one signature, whatever its name, is the served one."""
    archive = read_archive(models.first / "old_style")
    assert str(archive.signature) == "predict_images(inputs: float32 [None, 784]) -> classes: int64 [None]"


@pytest.mark.parametrize(
    "signature",
    [
        Signature("serving_default", (TensorSpec("x", "float32", (None, 28, 28)),), (TensorSpec("y", "int64", ()),)),
        Signature("predict", (TensorSpec("a", "string", None), TensorSpec("b:0", "bool", (2,))), ()),
    ],
)
def test_a_signature_is_read_back_from_its_text(signature):
    """What a recording and a stored model hold of it."""
    assert Signature.from_text(str(signature)) == signature


@pytest.mark.parametrize("text", ["", "nonsense", "f(x: float32 [1, ) -> y: int64 []", "f(a, b: float32 [1]) -> "])
def test_what_is_no_signatures_text_is_none(text):
    """A name with a comma in it cannot be told from two."""
    assert Signature.from_text(text) is None
