"""The first test and the first contract of `pytest-wml init --model` fit what the model takes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

import tests.ibm  # noqa: F401
from pytest_wml.client.scoring import payload
from pytest_wml.contract.files.draft import draft_contract
from pytest_wml.model.kinds import StoredAs
from pytest_wml.model.signature import Signature, TensorSpec
from pytest_wml.tools.cli import main
from pytest_wml.tools.init.example import first_test
from tests.emulator import tiny_models

STORED = StoredAs("tensorflow_2.14", "runtime-24.1-py3.11")
PROBABILITIES = (TensorSpec("probabilities", "float32", (None, 3)),)


def taking(*inputs: TensorSpec, outputs: tuple[TensorSpec, ...] = PROBABILITIES) -> Signature:
    return Signature("serving_default", inputs, outputs)


TABLE = taking(TensorSpec("readings", "float32", (None, 4)))
IMAGE = taking(TensorSpec("image", "float32", (None, 28, 28, 1)))
COLOURED = taking(TensorSpec("image", "uint8", (None, 32, 32, 3)))
TEXT = taking(TensorSpec("text", "string", (None,)))
SEVERAL = taking(
    TensorSpec("age", "int64", (None, 1)), TensorSpec("name", "string", (None, 1)), TensorSpec("x", "bool", (None, 2))
)
WIDE = taking(TensorSpec("features", "float64", (None, 200)))
UNKNOWN = taking(TensorSpec("sentence", "int32", (None, None)))
FIXED = taking(TensorSpec("x", "bfloat16", (2, 2)))
HOSTILE = taking(TensorSpec('a"\n\\', "float32", (None, 1)), TensorSpec("b", "float32", (None, 1)))

ROWS = {
    "a table": (TABLE, "# one row of readings: float32 [None, 4]\nROWS = np.array([[0.0, 0.0, 0.0, 0.0]], "),
    "an image": (IMAGE, "# an image of image: float32 [None, 28, 28, 1]\nROWS = np.zeros((1, 28, 28, 1), dtype=np.fl"),
    "a coloured image": (COLOURED, "ROWS = np.zeros((1, 32, 32, 3), dtype=np.uint8)"),
    "a text": (TEXT, 'ROWS = np.array(["a text"])'),
    "several inputs": (SEVERAL, '    "name": np.array([["a text"]]),'),
    "many columns": (WIDE, "ROWS = np.zeros((1, 200), dtype=np.float64)"),
    "a fixed batch": (FIXED, "ROWS = np.array([[0.0, 0.0], [0.0, 0.0]], dtype=np.float32)"),
    "names that hold anything": (HOSTILE, '    "a\\"\\n\\\\": np.array([[0.0]], dtype=np.float32),'),
}


@pytest.mark.parametrize(("signature", "line"), ROWS.values(), ids=ROWS)
def test_the_first_test_sends_a_row_that_fits(signature, line):
    """Of a table, an image, a text, or one for each input; as the signature asks for it."""
    text = first_test(signature, "model.wml.yaml")
    assert line in text
    named = {"np": np}
    exec(compile(ast.parse(text), "test_model.py", "exec"), named)
    elements, reshaped = payload(named["ROWS"], signature)
    assert not reshaped
    assert len(elements["input_data"]) == len(signature.inputs)
    assert 'assert sorted(answer.outputs) == ["probabilities"]' in text


def test_a_row_of_unknown_length_is_left_to_the_user():
    """What the model takes stands there, and no test fails for it."""
    text = first_test(UNKNOWN, "model.wml.yaml")
    assert "sentence: int32 [None, None]" in text
    assert not [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


NUMBER = (TensorSpec("price", "float32", (None, 1)),)
WORD = (TensorSpec("label", "string", (None,)),)
EXAMPLES = {
    "a table": (TABLE, {"input": [0.0, 0.0, 0.0, 0.0], "class": 0}),
    "an image": (IMAGE, {"input": "image.png", "class": 0}),
    "a coloured image": (COLOURED, {"input": "image.npy", "class": 0}),
    "a text": (TEXT, {"input": "a text", "class": 0}),
    "several inputs": (SEVERAL, {"input": {"age": [0], "name": ["a text"], "x": [False, False]}, "class": 0}),
    "many columns": (WIDE, {"input": "row.npy", "class": 0}),
    "a regression": (taking(*TABLE.inputs, outputs=NUMBER), {"input": [0.0] * 4}),
    "named classes": (taking(*TABLE.inputs, outputs=WORD), {"input": [0.0] * 4, "class": "a class"}),
}


@pytest.mark.parametrize(("signature", "example"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_first_contract_shows_an_example_that_fits(signature, example):
    """As a comment that can be taken as it stands; `class` only where the model answers with classes."""
    text = draft_contract(signature, Path("m.tar.gz"), STORED, Path("m.wml.yaml"), None, None).text
    commented = re.search(r"^# examples:\n(?:#  .*\n)+", text, re.MULTILINE)[0]
    assert yaml.safe_load(re.sub("^# ", "", commented, flags=re.MULTILINE)) == {"examples": [example]}
    assert ("# accuracy:" in text) == ("class" in example)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["classifier", "two_inputs", "words"])
def test_what_is_written_around_a_model_passes(pytester, model):
    """Images, several inputs, a text: scored and recorded, then replayed, without a line being changed."""
    archive = getattr(tiny_models, model)(pytester.path / "elsewhere")
    assert main(["init", ".", "--model", str(archive)]) == 0
    for arguments in (["--wml=embedded", "--wml-record"], []):
        result = pytester.runpytest_inprocess("-p", "no:recording", "test_model.py", "elsewhere.wml.yaml", *arguments)
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*test_model.py .*"])
