"""Editors accept what the parser accepts, and refuse what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pytest_wml.contract.files import schema
from pytest_wml.contract.files.document import read
from pytest_wml.contract.files.mistakes import BadContractFile
from pytest_wml.tools.cli import main

GOOD = {
    "model": "m.tar.gz",
    "name": "fraud",
    "type": "tensorflow_2.14",
    "spec": "runtime-24.1-py3.11",
    "threshold": 0.5,
    "batch_size": 8,
    "markers": ["slow"],
    "signature": {"inputs": {"image": "float32 [any, 784]"}, "outputs": {"classes": "int64 [None]"}},
    "examples": [{"input": [[0.5, 1], [2, 3e-4]], "class": 5}, {"input": [[1, 2], [3, 4]], "class": "cat"}],
    "probabilities": {"tolerance": 1e-5},
    "batch_consistency": {"rtol": 1e-4, "atol": 1e-5},
    "repeatability": {"times": 2},
    "invariance": {"transforms": ["shift up", "noise"], "image": [28, 28], "at_least": 0.9},
    "parity": True,
    "rest": "yes",
    "errors": {"leave_out": ["bad token"]},
    "accuracy": {"samples": ".", "floor": 1},
    "latency": {"p50": "0.1 s", "p95": "200 ms", "concurrency": [1, 2], "requests": 3, "max_growth": 2.5},
}
SPOILED = [
    {"model": 5},
    {"model": None},
    {"name": "a/b"},
    {"name": ""},
    {"threshold": 1.5},
    {"threshold": "0.5"},
    {"batch_size": 0},
    {"batch_size": 2.5},
    {"markers": []},
    {"markers": "slow"},
    {"signature": {"inputs": {}}},
    {"signature": {"inputs": {"x": "float33 [any]"}}},
    {"signature": {"inputs": {"x": "float32"}}},
    {"signature": {"ouputs": {"x": "float32 [1]"}}},
    {"examples": []},
    {"examples": [{"class": 5}]},
    {"examples": [{"input": None}]},
    {"examples": [{"input": []}]},
    {"examples": [{"input": {}}]},
    {"examples": [{"input": 1, "class": [5]}]},
    {"examples": [{"input": 1, "class": ""}]},
    {"probabilities": {"tolerance": 0}},
    {"probabilities": "maybe"},
    {"probabilities": 1},
    {"repeatability": {"times": 1}},
    {"invariance": {"transforms": ["shift"]}},
    {"invariance": {"image": 28}},
    {"invariance": {"image": [784]}},
    {"invariance": {"image": [28, 0]}},
    {"invariance": {"image": [28, 28, 1, 1]}},
    {"invariance": {"image": [28, "28"]}},
    {"invariance": {"image": [28, True]}},
    {"errors": {"leave_out": ["no such"]}},
    {"accuracy": True},
    {"accuracy": {"floor": 1}},
    {"latency": {"p95": "0 ms"}},
    {"latency": {"p95": 0.2}},
    {"latency": {"p95": "5 min"}},
    {"latency": {"concurrency": []}},
    {"latency": {"concurrency": True}},
    {"unknown": 1},
]


def accepted_by_schema(document) -> bool:
    return not list(jsonschema.Draft7Validator(schema.json_schema()).iter_errors(document))


def accepted_by_parser(document) -> bool:
    try:
        read(Path("/fraud.wml.yaml"), json.dumps(document).encode())
    except BadContractFile:
        return False
    return True


def test_the_shipped_schema_is_that_of_the_table():
    """Made with: json.dumps(schema.json_schema(), indent=1)."""
    assert schema.shipped_schema() == json.dumps(schema.json_schema(), indent=1) + "\n"
    jsonschema.Draft7Validator.check_schema(schema.json_schema())


def test_a_file_that_uses_every_key_is_accepted_by_both():
    """No key of the table is left out here."""
    assert set(GOOD) | {"deployment"} == set(schema.CONTRACT.fields)
    assert accepted_by_schema(GOOD)
    assert accepted_by_parser(GOOD)


@pytest.mark.parametrize("spoiled", SPOILED, ids=json.dumps)
def test_what_one_refuses_the_other_refuses(spoiled):
    """Each is one key of a good file, spoiled."""
    assert not accepted_by_schema(GOOD | spoiled)
    assert not accepted_by_parser(GOOD | spoiled)


def test_neither_accepts_a_file_without_a_model():
    """A model, or a deployment that exists already."""
    assert not accepted_by_schema({"errors": True})
    assert accepted_by_schema({"errors": True, "deployment": "fraud"})
    assert accepted_by_parser({"errors": True, "deployment": "fraud"})


def test_the_schema_is_printed(capsys):
    """For editors that are given a file."""
    assert main(["contract", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.json_schema()
