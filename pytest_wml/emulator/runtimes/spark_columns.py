"""The rows of a request as columns of a Spark data frame.

JSON does not tell 22 from 22.0, nor a date from a text: what a column is, the schema of the training data says that was
stored with the model; without one it is inferred from all values of the column.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as spark

from pytest_wml.emulator.runtimes.protocol import BadInput

_MOST_TRIES = 24
_WHOLE = (spark.ByteType, spark.ShortType, spark.IntegerType, spark.LongType)
_FRACTION = (spark.DoubleType, spark.FloatType)
_TIMESTAMP = (spark.TimestampType, spark.TimestampNTZType)
_NAMES: dict[str, type[spark.DataType]] = {
    **dict.fromkeys(("byte", "tinyint", "int8", "uint8"), spark.ByteType),
    **dict.fromkeys(("short", "smallint", "int16", "uint16"), spark.ShortType),
    **dict.fromkeys(("int", "integer", "int32"), spark.IntegerType),
    **dict.fromkeys(("long", "bigint", "int64", "uint32", "uint64"), spark.LongType),
    **dict.fromkeys(("float", "real", "float32", "float16"), spark.FloatType),
    **dict.fromkeys(("double", "double precision", "float64", "number", "numeric", "num"), spark.DoubleType),
    **dict.fromkeys(("string", "str", "text", "varchar", "char", "object", "other"), spark.StringType),
    **dict.fromkeys(("bool", "boolean"), spark.BooleanType),
    "date": spark.DateType,
    **dict.fromkeys(("timestamp", "timestamp_ltz", "datetime", "datetime64[ns]"), spark.TimestampType),
    "timestamp_ntz": spark.TimestampNTZType,
    "vector": VectorUDT,
}
"""Spark's own names of types, and those of SQL and pandas, which clients write too."""

Convert = Callable[[Any], Any]


def stored_types(schema: Sequence[Mapping[str, Any]]) -> dict[str, spark.DataType]:
    """The types of a stored schema's fields by their names in lower case; those that are not known are left out.

    Args:
        schema: fields with `name` and `type`, the type as Spark writes it in JSON, or as a name.
    """
    found = {}
    for field in schema:
        kind = data_type(field.get("type"))
        if kind is not None and isinstance(field.get("name"), str):
            found[field["name"].lower()] = kind
    return found


def data_type(written: Any) -> spark.DataType | None:
    """The type that a schema means; None where it is not known.

    Spark's own reader is not used: it imports the classes, and runs the pickles, that a schema names.
    """
    if isinstance(written, Mapping):
        return _structured(written)
    if not isinstance(written, str):
        return None
    name = written.strip().lower()
    if name in _NAMES:
        return _NAMES[name]()
    if match := re.fullmatch(r"array<(.+)>", name):
        return _array(match[1])
    if match := re.fullmatch(r"(?:decimal|numeric)(?:\((\d{1,2})(?:, *(\d{1,2}))?\))?", name):
        return spark.DecimalType(int(match[1] or 10), int(match[2] or 0))
    return spark.StringType() if re.fullmatch(r"(var)?char\(\d+\)", name) else None


def _structured(written: Mapping[str, Any]) -> spark.DataType | None:
    kind = written.get("type")
    if kind == "array":
        return _array(written.get("elementType"))
    if kind == "udt":
        return VectorUDT() if str(written.get("class", "")).endswith(".VectorUDT") else None
    if kind == "struct":
        fields = [(str(field.get("name")), data_type(field.get("type"))) for field in written.get("fields", ())]
        if all(inner is not None for _, inner in fields):
            return spark.StructType([spark.StructField(name, inner) for name, inner in fields if inner])
        return None
    return data_type(kind)


def _array(element: Any) -> spark.DataType | None:
    inner = data_type(element)
    return spark.ArrayType(inner) if inner is not None else None


class Columns:
    """The columns of one request.

    Args:
        names: of the columns.
        rows: a value for each column.
        types: of columns by their names in lower case, as `stored_types` gives them.

    Raises:
        BadInput: a value does not have its column's type, or a column holds values of several kinds.
    """

    def __init__(
        self, names: Sequence[str], rows: Sequence[Sequence[Any]], types: Mapping[str, spark.DataType]
    ) -> None:
        self._names = names
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        self._choices = [
            [_converted(name, types[name.lower()], values)] if name.lower() in types else _likely(name, values)
            for name, values in zip(names, columns, strict=True)
        ]
        self._count = len(rows)

    def frames(self) -> Iterator[tuple[spark.StructType, list[tuple[Any, ...]]]]:
        """Yield schemas with their rows, the likeliest first; only the pipeline knows which one it takes."""
        for places in itertools.islice(self._combinations(), _MOST_TRIES):
            chosen = [choices[place] for choices, place in zip(self._choices, places, strict=True)]
            fields = [spark.StructField(name, kind) for name, (kind, _) in zip(self._names, chosen, strict=True)]
            columns = [values for _, values in chosen]
            yield spark.StructType(fields), [tuple(column[row] for column in columns) for row in range(self._count)]

    def _combinations(self) -> Iterator[tuple[int, ...]]:
        """Yield which type each column has: of all the likeliest, of all the next, then those where one differs."""
        first = tuple(0 for _ in self._choices)
        second = tuple(min(1, len(choices) - 1) for choices in self._choices)
        differing = (
            (*base[:column], place, *base[column + 1 :])
            for base in (first, second)
            for column, choices in enumerate(self._choices)
            for place in range(len(choices))
        )
        yield from dict.fromkeys([first, second, *differing])


Choice = tuple[spark.DataType, list[Any]]
"""A type that a column may have, and its values as Spark takes them."""


def _converted(name: str, kind: spark.DataType, values: Sequence[Any]) -> Choice:
    convert = _converter(kind)
    converted = []
    for place, value in enumerate(values):
        try:
            converted.append(None if value is None else convert(value))
        except (TypeError, ValueError, OverflowError, InvalidOperation):
            raise BadInput(
                f"Column '{name}' is {kind.simpleString()}, as the stored schema or its other values say; "
                f"row {place} has {_short(value)}."
            ) from None
    return kind, converted


def _converter(kind: spark.DataType) -> Convert:
    if isinstance(kind, spark.ArrayType):
        inner = _converter(kind.elementType)
        return lambda value: [None if one is None else inner(one) for one in _of(value, list)]
    if isinstance(kind, spark.StructType):
        return _struct_converter(kind)
    return next(convert for kinds, convert in _CONVERTERS if isinstance(kind, kinds))


def _struct_converter(kind: spark.StructType) -> Convert:
    inner = {field.name: _converter(field.dataType) for field in kind.fields}

    def convert(value: Any) -> tuple[Any, ...]:
        given = [_of(value, dict).get(name) for name in inner]
        return tuple(None if one is None else to(one) for to, one in zip(inner.values(), given, strict=True))

    return convert


def _of(value: Any, *kinds: type) -> Any:
    # Not isinstance: True is no number here.
    if type(value) not in kinds:
        raise TypeError
    return value


def _whole(value: Any) -> int:
    number = int(_of(value, int, float))
    if number != value:
        raise ValueError
    return number


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(_of(value, str).strip())


def _vector(value: Any) -> Any:
    if _is_sparse(value):
        size, indices, values = value
        return Vectors.sparse(size, indices, values)
    return Vectors.dense([float(_of(one, int, float)) for one in _of(value, list)])


def _is_sparse(value: Any) -> bool:
    """Whether it is a sparse vector as the service writes one: its size, the indices, and the values there."""
    return isinstance(value, list) and [type(part) for part in value] == [int, list, list]


_CONVERTERS: tuple[tuple[tuple[type[spark.DataType], ...], Convert], ...] = (
    (_WHOLE, _whole),
    (_FRACTION, lambda value: float(_of(value, int, float))),
    ((spark.DecimalType,), lambda value: Decimal(str(_of(value, int, float, str)))),
    ((spark.BooleanType,), lambda value: _of(value, bool)),
    ((spark.DateType,), lambda value: _moment(value).date()),
    (_TIMESTAMP, _moment),
    ((VectorUDT,), _vector),
    ((spark.StringType,), lambda value: _of(value, str)),
)


def _likely(name: str, values: Sequence[Any]) -> list[Choice]:
    """The types that a column may have by its values, the likeliest first."""
    kinds = _kinds_of(values)
    if kinds is None:
        present = ", ".join(sorted({_kind_name(value) for value in values if value is not None}))
        raise BadInput(f"Column '{name}' holds {present}: a column of Spark has one type.")
    return [_converted(name, kind, values) for kind in kinds]


def _kinds_of(values: Sequence[Any]) -> list[spark.DataType] | None:
    present = {type(value) for value in values if value is not None}
    if not present:
        return [spark.DoubleType(), spark.StringType()]
    if present == {int}:
        return [spark.LongType(), spark.DoubleType()]
    if present <= {int, float}:
        return [spark.DoubleType()]
    if present in ({bool}, {str}):
        return [spark.BooleanType() if bool in present else spark.StringType()]
    if present == {list}:
        return _list_kinds([value for value in values if value is not None])
    return None


def _list_kinds(lists: list[list[Any]]) -> list[spark.DataType] | None:
    if all(map(_is_sparse, lists)):
        return [VectorUDT()]
    inside = list(itertools.chain.from_iterable(lists))
    kinds = _kinds_of(inside)
    if kinds is None:
        return None
    numbers = inside and {type(value) for value in inside} <= {int, float}
    return [*([VectorUDT()] if numbers else ()), *(spark.ArrayType(kind) for kind in reversed(kinds))]


def _kind_name(value: Any) -> str:
    names = {bool: "true or false", int: "numbers", float: "numbers", str: "text", list: "lists", dict: "objects"}
    return names.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def plain(value: Any) -> Any:
    """A value of a Spark row as JSON can carry it: a sparse vector as its size, the indices, and the values there."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, spark.Row):
        return {name: plain(inner) for name, inner in value.asDict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "indices"):
        return [int(value.size), value.indices.tolist(), value.values.tolist()]
    return value.toArray().tolist() if hasattr(value, "toArray") else value
