"""What the columns of a request hold: by the schema of the training data, else by all their values."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

pytest.importorskip("pyspark")

from pyspark.ml.linalg import DenseVector, SparseVector
from pyspark.sql.types import Row

from pytest_wml.emulator.runtimes.protocol import BadInput
from pytest_wml.emulator.runtimes.spark_columns import Columns, data_type, plain, stored_types
from pytest_wml.emulator.served_asset import training_fields

VECTOR = {"type": "udt", "class": "org.apache.spark.ml.linalg.VectorUDT", "pyClass": "pyspark.ml.linalg.VectorUDT"}


def frames(values, kind=None):
    """The types that a column of these values may have, in the order in which they are tried, each with the values."""
    types = stored_types([{"name": "x", "type": kind}]) if kind else {}
    return [
        (schema["x"].dataType.simpleString(), [row[0] for row in rows])
        for schema, rows in Columns(["x"], [[value] for value in values], types).frames()
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([22, 65.5, None], [("double", [22.0, 65.5, None])]),
        ([0.5, 1.0], [("double", [0.5, 1.0])]),
        ([1, None], [("bigint", [1, None]), ("double", [1.0, None])]),
        ([None, None], [("double", [None, None]), ("string", [None, None])]),
        ([True, None], [("boolean", [True, None])]),
        (["2024-01-31", None], [("string", ["2024-01-31", None])]),
        ([[0.5, 1]], [("vector", [DenseVector([0.5, 1.0])]), ("array<double>", [[0.5, 1.0]])]),
        ([[3, [0, 2], [1.0, 5.0]]], [("vector", [SparseVector(3, [0, 2], [1.0, 5.0])])]),
        ([["a", "b"], []], [("array<string>", [["a", "b"], []])]),
    ],
)
def test_a_column_without_a_schema_is_what_all_its_values_are(values, expected):
    """Whole numbers beside fractions are doubles; where a value may be several things, the likeliest comes first."""
    assert frames(values)[: len(expected)] == expected


@pytest.mark.parametrize("values", [[1, "a"], [True, 1], [[1], 1], [{"a": 1}], [[1, "a"]]])
def test_a_column_of_several_kinds_is_refused(values):
    """By its name, with what it holds."""
    with pytest.raises(BadInput, match="Column 'x' holds "):
        frames(values)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("double", [22, None], [22.0, None]),
        ("float64", [22], [22.0]),
        ("integer", [22.0, 5, None], [22, 5, None]),
        ("int64", [22], [22]),
        ("STRING", ["a", None], ["a", None]),
        ("varchar(30)", ["a"], ["a"]),
        ("object", ["a"], ["a"]),
        ("boolean", [True, None], [True, None]),
        ("date", ["2024-01-31", "2024-01-31T10:00:00"], [datetime.date(2024, 1, 31)] * 2),
        ("timestamp", ["2024-01-31 10:00:00"], [datetime.datetime(2024, 1, 31, 10)]),
        ("decimal(10,2)", [1.25, "1.25", 1], [Decimal("1.25"), Decimal("1.25"), Decimal(1)]),
        (VECTOR, [[1, 2.5]], [DenseVector([1.0, 2.5])]),
        ("vector", [[2, [1], [3.0]]], [SparseVector(2, [1], [3.0])]),
        ({"type": "array", "elementType": "double", "containsNull": True}, [[1, None]], [[1.0, None]]),
        ("array<string>", [["a"]], [["a"]]),
        ({"type": "struct", "fields": [{"name": "a", "type": "double"}]}, [{"a": 1}], [(1.0,)]),
        ("double", [None], [None]),
        ("string", [None], [None]),
    ],
    ids=str,
)
def test_a_column_is_what_the_stored_schema_says(kind, values, expected):
    """Under the names that Spark, SQL and pandas have for types; a null fits every column."""
    ((_, converted),) = frames(values, kind)
    assert converted == expected
    assert list(map(type, converted)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", 22.5),
        ("integer", True),
        ("integer", "22"),
        ("double", "22.5"),
        ("double", True),
        ("string", 5),
        ("boolean", 1),
        ("date", "soon"),
        ("date", 5),
        ("vector", [1, "a"]),
        ("vector", 5),
    ],
)
def test_what_the_stored_schema_does_not_allow_is_refused(kind, value):
    """With the column, its type, and the row."""
    with pytest.raises(BadInput, match=r"Column 'x' is \w+, .*; row 1 has"):
        frames([None, value], kind)


@pytest.mark.parametrize("kind", ["none that is known", 5, None, {"type": "udt", "pyClass": "os.system"}, {}])
def test_an_unknown_type_is_told_from_the_values(kind):
    """Nothing that a schema names is imported."""
    assert data_type(kind) is None
    assert stored_types([{"name": "x", "type": kind}]) == {}


def test_a_schema_names_columns_in_any_case():
    """As Spark does."""
    columns = Columns(["age", "more"], [[22, 1]], stored_types([{"name": "AGE", "type": "double"}]))
    schema, rows = next(columns.frames())
    assert (schema["age"].dataType.simpleString(), rows) == ("double", [(22.0, 1)])


FIELDS = [{"name": "a", "type": "double", "nullable": True, "metadata": {}}]
KEPT = ({"name": "a", "type": "double"},)


@pytest.mark.parametrize(
    ("entity", "fields"),
    [
        ({"schemas": {"input": [{"fields": FIELDS, "id": "1", "type": "struct"}], "output": []}}, KEPT),
        ({"schemas": {"input": {"fields": FIELDS}}}, KEPT),
        ({"training_data_references": [{"location": {}, "schema": {"fields": FIELDS}}]}, KEPT),
        ({"training_data_references": [{"location": {}}, {"schema": {"fields": FIELDS}}]}, KEPT),
        ({"input_data_schema": {"fields": FIELDS}}, KEPT),
        (
            {
                "schemas": {"input": [{"fields": FIELDS}]},
                "training_data_references": [
                    {"schema": {"fields": [{"name": "a", "type": "int"}, {"name": "label", "type": "string"}]}}
                ],
            },
            (*KEPT, {"name": "label", "type": "string"}),
        ),
        ({}, ()),
        ({"schemas": None, "training_data_references": "none"}, ()),
        ({"schemas": {"input": [{"fields": "none"}, 5]}}, ()),
    ],
)
def test_the_schema_is_found_where_clients_store_it(entity, fields):
    """What is to be sent comes before what was trained with, which has the label too."""
    assert training_fields(entity) == fields


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DenseVector([1.0, 0.0]), [1.0, 0.0]),
        (SparseVector(3, [0, 2], [1.0, 5.0]), [3, [0, 2], [1.0, 5.0]]),
        ([DenseVector([1.0])], [[1.0]]),
        (Row(a=1, b=datetime.date(2024, 1, 31)), {"a": 1, "b": "2024-01-31"}),
        (datetime.datetime(2024, 1, 31, 10), "2024-01-31T10:00:00"),
        (Decimal("1.25"), 1.25),
        (None, None),
    ],
)
def test_an_answer_is_what_json_can_carry(value, expected):
    """A sparse vector is its size, the indices, and the values there."""
    assert plain(value) == expected
