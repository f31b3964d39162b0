"""What a contract file says, and how its mistakes are told: no model is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.contract import image_transforms
from pytest_wml.contract.files.document import ContractDocument, load, read
from pytest_wml.contract.files.mistakes import BadContractFile
from pytest_wml.contract.files.schema import REFUSALS, TRANSFORMS


def contract(text: str, folder: Path = Path("/nowhere")) -> ContractDocument:
    return read(folder / "fraud.wml.yaml", text.encode())


def mistakes(text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadContractFile) as refused:
        read(Path("/nowhere/fraud.wml.yaml"), content)
    return str(refused.value)


def test_each_promise_is_a_test_in_the_order_of_the_file():
    """What is switched off is none."""
    written = contract("model: m.zip\nerrors: yes\nrest: no\nlatency: {p95: 200 ms}\nrepeatability: {times: 2}\n")
    assert written.promises == ("errors", "latency", "repeatability")
    assert written.top.values["latency"].values == {"p95": 0.2}


@pytest.mark.parametrize(
    ("label", "means"), [("5", "5"), ("5.0", "5"), ('"5"', "5"), ("no", "no"), ("true", "1"), ("a b", "a b")]
)
def test_a_class_is_what_stands_there(label, means):
    """YAML's Booleans and number types do not matter."""
    written = contract(f"model: m.zip\nexamples:\n  - {{input: [1, 2], class: {label}}}\n")
    assert written.examples[0].label == means


@pytest.mark.parametrize("number", ["1e-5", "1.0e-5", "0.00001", ".00001"])
def test_a_tolerance_is_read_as_people_write_it(number):
    """YAML 1.1 would take 1e-5 for a text."""
    written = contract(f"model: m.zip\nprobabilities: {{tolerance: {number}}}\n")
    assert written.top.values["probabilities"].values == {"tolerance": 1e-5}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: m.zip\nerors: yes", "line 2, column 1: `erors` is unknown here; did you mean `errors`? accepted: "),
        ("model: m.zip\nprobabilities: {toleranse: 1}", "line 2, column 17: `toleranse` is unknown here; did you"),
        ("model: m.zip\nrest: yes\nrest: no", "line 3, column 1: `rest` stands here twice, first in line 2"),
        ("model: m.zip\nlatency:\n  p95: fast", "line 3, column 8: `p95`: a time such as 200 ms or 0.2 s is required"),
        ("model: m.zip\naccuracy: {floor: 95, samples: x}", "line 2, column 19: `floor`: a share from 0 to 1"),
        ("model: m.zip\nrest:\n", "line 2, column 1: `rest` has no value"),
        ("model: m.zip\n", "line 1, column 1: the file contains no promise; accepted promises are signature, "),
        ("errors: yes\n", "line 1, column 1: `model` or `deployment` is missing here"),
        ("model: 5\nerrors: yes", "line 1, column 8: `model`: the path of a model"),
        ("model: m.zip\nsignature:\n  inputs: {x: flaot32}", "line 3, column 15: `flaot32` is unknown here;"),
        ("model: m.zip\nsignature:\n  inputs:\n    x: float32 784", "line 4, column 8: `inputs`: a type and a shape"),
        ("model: m.zip\nexamples:\n- class: 5", "line 3, column 3: `input` is missing here"),
        ("model: m.zip\nexamples:\n- {input: five.png, class: 5}", "line 3, column 11: there is no file `five.png`"),
        (
            "model: m.zip\nexamples:\n- input: [[1, 2], [3]]\n  class: 5",
            "line 3, column 19: `input`: this entry has shape [1]",
        ),
        (
            "model: m.zip\ninvariance: {transforms: [shift-up]}",
            "`shift-up` is unknown here; did you mean `shift up`?",
        ),
        ("- model: m.zip", "line 1, column 1: a mapping is required here, not a list"),
        ("model: m.zip\n  rest: yes", "line 2, column 7: this is no YAML: mapping values are not allowed"),
        ("", "line 1, column 1: the file is empty"),
        ("model: m.zip\nmodel\x07: x", "line 2, column 6: this is no YAML: "),
        (b"model: m.zip\nname: \xff\xfe", "line 2, column 7: this is no UTF-8 text"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, told):
    """Line, column, what is accepted, and what was probably meant."""
    assert told in mistakes(text)


def test_every_mistake_is_told_at_once():
    """In the order of the file."""
    told = mistakes("model: m.zip\nthreshold: 2\nerors: yes\nlatency: {p95: no, requests: 0}\n")
    assert told.startswith("The contract fraud.wml.yaml has 4 mistakes.")
    assert re.findall(r"line (\d+)", told) == ["2", "3", "4", "4"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "line 1, column 4: an anchor, `&a`"),
        ("model: *x", "line 1, column 8: an alias, `*x`"),
        ("model: !!python/object/apply:os.system [echo]", "line 1, column 8: a tag, `tag:yaml.org,2002:python/object"),
        ("model: m.zip\n---\nmodel: n.zip", "a second document begins here"),
        ("model: " + "[" * 50 + "]" * 50, "more than 32 lists and mappings stand within each other"),
        ("? [a]\n: b", "line 1, column 3: a list or a mapping stands where a key belongs"),
        ("#" * (2 << 20), "the file has 2,097,152 bytes, at most 262,144 are read"),
    ],
)
def test_what_could_do_harm_is_refused(text, told):
    """Nothing is expanded, made or run."""
    assert told in mistakes(text)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"#&*!|>%@`,? \n\t\x00é0159.~"), max_size=60) | st.text(max_size=40))
def test_whatever_stands_there_nothing_but_mistakes_comes_out(text):
    """Each with a place."""
    with pytest.raises(BadContractFile, match=r"line \d+, column \d+"):
        read(Path("/nowhere/fraud.wml.yaml"), text.encode("utf-8", "surrogatepass"))


def test_the_words_of_the_file_are_those_of_the_checks(wml_digits):
    """Transforms and refusals have the names that the toolkit gives them."""
    from pytest_wml.contract.refusals import refusals
    from pytest_wml.model.archive import read_archive
    from pytest_wml.runner.fixture_values import sample_archive

    class Deployed:
        archive = read_archive(sample_archive())

    assert set(image_transforms()) == set(TRANSFORMS)
    assert set(refusals(Deployed())) == set(REFUSALS)


def test_a_file_that_goes_away_is_told(tmp_path):
    """As a mistake of the file, not of Python."""
    with pytest.raises(BadContractFile, match="the file cannot be read: No such file"):
        load(tmp_path / "gone.wml.yaml")


def test_rows_are_files_or_values(tmp_path):
    """For one input, or by name for several."""
    np.save(tmp_path / "five.npy", np.zeros(4))
    text = {"model": "m", "examples": [{"input": {"left": "five.npy", "right": 3}, "class": 5}]}
    row = contract(json.dumps(text), tmp_path).examples[0].row
    assert row["left"].text == "five.npy"
    assert row["right"] == 3
