"""The one table of what a contract file can say: the parser reads by it, and the schema for editors is made of it."""

from __future__ import annotations

from typing import Any

from pytest_wml.contract.files.kinds import Choice, Duration, File, Label, Number, Text
from pytest_wml.contract.files.records import Field, ListOf, MapOf, OneOrMore, Promise, Record
from pytest_wml.contract.files.rows import DEFINITIONS, ImageShape, OneRow, Tensor

TRANSFORMS = ("shift up", "shift down", "shift left", "shift right", "noise", "brighter", "darker")
REFUSALS = ("wrong shape", "empty batch", "missing field", "unknown deployment", "bad token", "no token")

_SHARE = Number("a share from 0 to 1", most=1)
_TOLERANCE = Number("a tolerance, a number above 0,", above=True)
_RTOL = Field(_TOLERANCE, "Relative tolerance of floats, such as 1e-4.")
_ATOL = Field(_TOLERANCE, "Absolute tolerance of floats, such as 1e-5.")
_CLOSE = Record({"rtol": _RTOL, "atol": _ATOL})


def _count(least: int = 1) -> Number:
    return Number(f"a whole number of {least} or more", least=least, whole=True)


EXAMPLE = Record(
    {
        "input": Field(OneRow(), "What is sent: a .png or .npy file, values, or one of these for each input.", True),
        "class": Field(Label(), "The class that it must get."),
    }
)
SIGNATURE = Record(
    {
        "inputs": Field(MapOf(Tensor()), "Each input's type and shape: `image: float32 [any, 784]`."),
        "outputs": Field(MapOf(Tensor()), "Each output's type and shape, in the order of the answer."),
    }
)
LATENCY = Record(
    {
        "p50": Field(Duration(), "What half of the answers may take: 50 ms, or 0.5 s."),
        "p95": Field(Duration(), "What 95 of 100 answers may take: 200 ms, or 0.5 s."),
        "p99": Field(Duration(), "What 99 of 100 answers may take: 300 ms, or 0.5 s."),
        "requests": Field(_count(), "How many requests are sent at each concurrency; 20 by default."),
        "concurrency": Field(OneOrMore(_count()), "How many ask at once: a number, or several; [1, 2, 4] by default."),
        "max_growth": Field(
            Number("a number above 0", above=True), "How many times the median may grow from first to last concurrency."
        ),
    }
)
ACCURACY = Record(
    {
        "samples": Field(
            File("a folder or an .npz file"), "A folder of `class/image.png` or .npy, or an .npz: images, labels.", True
        ),
        "floor": Field(_SHARE, "The share of samples that must get their class, from 0 to 1.", True),
    }
)
INVARIANCE = Record(
    {
        "transforms": Field(ListOf(Choice(TRANSFORMS)), "The changes that must not matter; all of them by default."),
        "image": Field(ImageShape(), "[height, width] of flat rows that are images of another size than 28 × 28."),
        "at_least": Field(_SHARE, "The share of examples that must keep their class; 1 by default."),
    }
)
CONTRACT = Record(
    {
        "model": Field(
            Text("the path of a model, or a name of wml_deployments,"),
            "The model: an archive, a folder or a model file, relative to this file; or a name of the ini's "
            "wml_deployments.",
        ),
        "deployment": Field(Text("an id or serving name"), "A deployment that exists already, which is only scored."),
        "name": Field(
            Text("a name of letters, digits, _, . and -", r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"),
            "Name of the deployment and of its recording; by default the model's.",
        ),
        "type": Field(
            Text("a type of WML, such as tensorflow_2.14,"), "WML's type of the model; inferred from it by default."
        ),
        "spec": Field(
            Text("a software specification, such as runtime-24.1-py3.11,"),
            "Software specification; inferred from the model and its type by default.",
        ),
        "markers": Field(
            ListOf(Text("the name of a marker", r"[A-Za-z_]\w*")), "pytest's markers of all tests of this file."
        ),
        "threshold": Field(_SHARE, "For a model with one sigmoid output: class 1 from this probability on."),
        "batch_size": Field(_count(), "Rows in one request; 256 by default."),
        "signature": Field(Promise(SIGNATURE), "Names, types and shapes of inputs and outputs are these."),
        "examples": Field(ListOf(EXAMPLE), "What is sent; each that has a class must get it."),
        "probabilities": Field(
            Promise(Record({"tolerance": Field(_TOLERANCE, "Of each sum; 1e-5 by default.")})),
            "Every example's probabilities are from 0 to 1 and sum to 1.",
        ),
        "batch_consistency": Field(Promise(_CLOSE), "A batch is answered as its rows are alone, and in another order."),
        "repeatability": Field(
            Promise(Record({"times": Field(_count(2), "How often; 3 by default."), "rtol": _RTOL, "atol": _ATOL})),
            "The same request gets the same answer again.",
        ),
        "invariance": Field(Promise(INVARIANCE), "The class survives small changes of an image."),
        "parity": Field(Promise(_CLOSE), "The served answer is that of TensorFlow here; skipped in a replay."),
        "rest": Field(Promise(_CLOSE), "The bare scoring URL answers as IBM's client is answered."),
        "errors": Field(
            Promise(Record({"leave_out": Field(ListOf(Choice(REFUSALS)), "What is not sent.")})),
            "Bad requests are refused, with the right status and code.",
        ),
        "accuracy": Field(ACCURACY, "How often the model must be right on a labelled set."),
        "latency": Field(Promise(LATENCY), "Answers come in time; in a replay measured, never asserted."),
    },
    any_of=("model", "deployment"),
)


def schema() -> dict[str, Any]:
    """The JSON Schema that editors check a contract file by."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "What a model on IBM Watson Machine Learning promises (pytest-wml)",
        **CONTRACT.schema(),
        "definitions": DEFINITIONS,
    }
