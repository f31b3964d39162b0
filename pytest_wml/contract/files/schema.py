"""Defines the keys and values of a contract file, for the parser and for the JSON Schema that editors use."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from pytest_wml.contract.files.kinds import Choice, Duration, FileValue, Label, Number, Text
from pytest_wml.contract.files.records import Field, ListOf, MapOf, OneOrMore, RecordOf, SwitchOrRecord
from pytest_wml.contract.files.rows import DEFINITIONS, ImageShape, OneRow, TensorType

FILE_NAME = "contract.schema.json"
"""Name of the JSON Schema's file, which is shipped with the package."""
TRANSFORMS = ("shift up", "shift down", "shift left", "shift right", "noise", "brighter", "darker")
REFUSALS = ("wrong shape", "empty batch", "missing field", "unknown deployment", "bad token", "no token")

_SHARE = Number("a share from 0 to 1", most=1)
_TOLERANCE = Number("a tolerance, a number above 0,", above=True)
_RTOL = Field(_TOLERANCE, "Relative tolerance of floats, such as 1e-4.")
_ATOL = Field(_TOLERANCE, "Absolute tolerance of floats, such as 1e-5.")
_TOLERANCES = RecordOf({"rtol": _RTOL, "atol": _ATOL})


def _count(least: int = 1) -> Number:
    return Number(f"a whole number of {least} or more", least=least, whole=True)


EXAMPLE = RecordOf(
    {
        "input": Field(OneRow(), "The row to send: a .png or .npy file, values, or one of these for each input.", True),
        "class": Field(Label(), "The expected class."),
    }
)
SIGNATURE = RecordOf(
    {
        "inputs": Field(MapOf(TensorType()), "Type and shape of each input: `image: float32 [any, 784]`."),
        "outputs": Field(MapOf(TensorType()), "Type and shape of each output, in the order of the answer."),
    }
)
LATENCY = RecordOf(
    {
        "p50": Field(Duration(), "Time limit for 50 % of the answers: 50 ms, or 0.5 s."),
        "p95": Field(Duration(), "Time limit for 95 % of the answers: 200 ms, or 0.5 s."),
        "p99": Field(Duration(), "Time limit for 99 % of the answers: 300 ms, or 0.5 s."),
        "requests": Field(_count(), "Number of requests at each concurrency; 20 by default."),
        "concurrency": Field(
            OneOrMore(_count()), "Number of concurrent requests, or a list of numbers; [1, 2, 4] by default."
        ),
        "max_growth": Field(
            Number("a number above 0", above=True),
            "Largest ratio of the median at the last concurrency to that at the first.",
        ),
    }
)
ACCURACY = RecordOf(
    {
        "samples": Field(
            FileValue("a folder or an .npz file"),
            "A folder of `class/image.png` or .npy, or an .npz: images, labels.",
            True,
        ),
        "floor": Field(_SHARE, "Required share of correctly classified samples, from 0 to 1.", True),
    }
)
INVARIANCE = RecordOf(
    {
        "transforms": Field(
            ListOf(Choice(TRANSFORMS)), "Changes that must not change the class; all of them by default."
        ),
        "image": Field(ImageShape(), "[height, width] of flat images whose size is not 28 × 28."),
        "at_least": Field(_SHARE, "Required share of examples that keep their class; 1 by default."),
    }
)
CONTRACT = RecordOf(
    {
        "model": Field(
            Text("the path of a model, or a name of wml_deployments,"),
            "The model: an archive, a folder or a model file, relative to this file; or a name from the ini key "
            "wml_deployments.",
        ),
        "deployment": Field(Text("an id or serving name"), "An existing deployment; it is scored, not changed."),
        "name": Field(
            Text("a name of letters, digits, _, . and -", r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"),
            "Name of the deployment and of its recording; by default the name of the model.",
        ),
        "type": Field(
            Text("a type of WML, such as tensorflow_2.14,"), "WML's model type; inferred from the model by default."
        ),
        "spec": Field(
            Text("a software specification, such as runtime-24.1-py3.11,"),
            "Software specification; inferred from the model and its type by default.",
        ),
        "markers": Field(
            ListOf(Text("the name of a marker", r"[A-Za-z_]\w*")), "pytest markers for all tests of this file."
        ),
        "threshold": Field(_SHARE, "For a model with one sigmoid output: smallest probability of class 1."),
        "batch_size": Field(_count(), "Number of rows in one request; 256 by default."),
        "signature": Field(SwitchOrRecord(SIGNATURE), "Names, types and shapes of inputs and outputs match."),
        "examples": Field(ListOf(EXAMPLE), "Rows to send; a row with a class must get that class."),
        "probabilities": Field(
            SwitchOrRecord(RecordOf({"tolerance": Field(_TOLERANCE, "Tolerance of each sum; 1e-5 by default.")})),
            "The probabilities of each example are from 0 to 1 and sum to 1.",
        ),
        "batch_consistency": Field(
            SwitchOrRecord(_TOLERANCES), "Each row gets the same answer in a batch, alone, and in another order."
        ),
        "repeatability": Field(
            SwitchOrRecord(
                RecordOf({"times": Field(_count(2), "Number of requests; 3 by default."), "rtol": _RTOL, "atol": _ATOL})
            ),
            "The same request gets the same answer every time.",
        ),
        "invariance": Field(SwitchOrRecord(INVARIANCE), "Small changes of an image do not change its class."),
        "parity": Field(
            SwitchOrRecord(_TOLERANCES), "The answer equals that of TensorFlow in this process; skipped in a replay."
        ),
        "rest": Field(
            SwitchOrRecord(_TOLERANCES), "Plain HTTP requests to the scoring URL get the same answer as IBM's client."
        ),
        "errors": Field(
            SwitchOrRecord(RecordOf({"leave_out": Field(ListOf(Choice(REFUSALS)), "Cases that are not sent.")})),
            "Invalid requests are refused with the expected status and code.",
        ),
        "accuracy": Field(ACCURACY, "Required accuracy on a labelled set."),
        "latency": Field(
            SwitchOrRecord(LATENCY), "Response times keep their limits; in a replay they are measured but not asserted."
        ),
    },
    any_of=("model", "deployment"),
)


def json_schema() -> dict[str, Any]:
    """Generate the JSON Schema of a contract file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Contract of a model on IBM Watson Machine Learning (pytest-wml)",
        **CONTRACT.schema(),
        "definitions": DEFINITIONS,
    }


def shipped_schema() -> str:
    """Return the text of the shipped JSON Schema."""
    return (files("pytest_wml.contract.files") / FILE_NAME).read_text(encoding="utf-8")
