"""Spark ML pipelines, scored by a Spark of this process."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DoubleType

from pytest_wml.emulator.runtimes.protocol import BadInput, Elements, LoadedModel, ScoringRequest
from pytest_wml.emulator.runtimes.rows import listed, named_columns
from pytest_wml.emulator.runtimes.spark_columns import Columns, plain, stored_types
from pytest_wml.model.causes import full_reason
from pytest_wml.model.serving import LoadFailed

_FRACTION = re.compile(r"-?\d+\.\d+(E-?\d+)?")


def load(folder: Path, trusted: bool = False) -> Pipeline:
    """Load the pipeline model in `folder`; Spark is started, which takes some seconds.

    Raises:
        LoadFailed: Spark cannot be started (it needs Java), or cannot load the pipeline.
    """
    del trusted  # there is no Python in it
    try:
        spark = _session()
    except Exception as problem:
        raise LoadFailed(f"Spark cannot be started; it needs Java. {full_reason(problem)}") from problem
    try:
        return Pipeline(spark, PipelineModel.load(folder.as_uri()))
    except Exception as problem:
        raise LoadFailed(f"Spark cannot load the pipeline. {_reason(problem)}") from problem


def _session() -> SparkSession:
    # Found by name, its host would be the network's to know.
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )


class Pipeline(LoadedModel):
    """A loaded pipeline model."""

    def __init__(self, spark: SparkSession, model: PipelineModel) -> None:
        self._spark = spark
        self._model = model
        self._indexed = dict.fromkeys(_indexed_fractions(model), DoubleType())

    def answer(self, request: ScoringRequest) -> dict[str, Any]:
        """One prediction for each element, with all columns of the pipeline's output as `fields`.

        Raises:
            BadInput: `fields` is missing, a column holds what its type does not, or the pipeline refuses the rows.
        """
        types = {**self._indexed, **stored_types(request.schema)}
        return {"predictions": [self._scored(element, types) for element in request.payload["input_data"]]}

    def score(self, input_data: Elements) -> Elements:
        """The predictions without a stored schema; see `answer`."""
        return [self._scored(element, self._indexed) for element in input_data]

    def _scored(self, element: dict[str, Any], types: Mapping[str, DataType]) -> dict[str, Any]:
        rows = [row if isinstance(row, list) else [row] for row in listed(element)]
        names = named_columns(element, rows)
        if names is None:
            raise BadInput("A Spark pipeline needs 'fields', the names of the columns.")
        if not rows and not types.keys() >= {name.lower() for name in names}:
            raise BadInput("A Spark pipeline needs rows, or a stored schema, to know what its columns hold.")
        return self._transformed(Columns(names, rows, types))

    def _transformed(self, columns: Columns) -> dict[str, Any]:
        try:
            output = self._planned(columns)
            return {"fields": output.columns, "values": [list(map(plain, row)) for row in output.collect()]}
        except Exception as problem:  # Spark's and Java's
            raise BadInput(f"The pipeline refuses the input. {_reason(problem)}") from problem

    def _planned(self, columns: Columns) -> DataFrame:
        """The output of the pipeline, not computed yet: for the first types of the columns that it takes."""
        refusal: Exception | None = None
        for schema, rows in columns.frames():
            try:
                return self._model.transform(self._spark.createDataFrame(rows, schema))
            except Exception as problem:  # noqa: BLE001 that of the likeliest types is raised
                refusal = refusal or problem
        assert refusal
        raise refusal


def _indexed_fractions(model: PipelineModel) -> list[str]:
    """The columns in lower case whose values were indexed as the texts of fractions: `22` was `22.0` in training."""
    found = []
    for stage in model.stages:
        if hasattr(stage, "labelsArray"):
            names = stage.getInputCols() if stage.isSet("inputCols") else [stage.getInputCol()]
            pairs = zip(names, stage.labelsArray, strict=True)
            found += [name.lower() for name, labels in pairs if labels and all(map(_FRACTION.fullmatch, labels))]
    return found


def _reason(problem: Exception) -> str:
    return re.sub(r"file:/\S+", "<model>", full_reason(problem))
