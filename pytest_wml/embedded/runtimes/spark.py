"""Spark ML pipelines, scored by a Spark of this process."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.linalg import DenseVector, SparseVector
from pyspark.sql import SparkSession

from pytest_wml.embedded.runtimes.protocol import BadInput, Elements, LoadFailed, Model, told
from pytest_wml.embedded.runtimes.rows import listed, named_columns


def load(folder: Path, trusted: bool = False) -> Pipeline:
    """Load the pipeline model in `folder`; Spark is started, which takes some seconds.

    Raises:
        LoadFailed: Spark cannot be started (it needs Java), or cannot load the pipeline.
    """
    del trusted  # there is no Python in it
    try:
        spark = _session()
    except Exception as problem:
        raise LoadFailed(f"Spark cannot be started; it needs Java. {told(problem)}") from problem
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


class Pipeline(Model):
    """A loaded pipeline model."""

    def __init__(self, spark: SparkSession, model: PipelineModel) -> None:
        self._spark = spark
        self._model = model

    def score(self, input_data: Elements) -> Elements:
        """One prediction for each element, with all columns of the pipeline's output as `fields`.

        Raises:
            BadInput: `fields` is missing, or the pipeline refuses the rows.
        """
        return [self._scored(element) for element in input_data]

    def _scored(self, element: dict[str, Any]) -> dict[str, Any]:
        rows = listed(element)
        names = named_columns(element, rows)
        if names is None:
            raise BadInput("A Spark pipeline needs 'fields', the names of the columns.")
        if not rows:
            raise BadInput("A Spark pipeline needs rows, to know what its columns hold.")
        try:
            output = self._model.transform(self._spark.createDataFrame(rows, names))
            return {"fields": output.columns, "values": [list(map(_plain, row)) for row in output.collect()]}
        except Exception as problem:  # Spark's and Java's, and Python's of the rows
            raise BadInput(f"The pipeline refuses the input. {_reason(problem)}") from problem


def _plain(value: Any) -> Any:
    if isinstance(value, (DenseVector, SparseVector)):
        return value.toArray().tolist()
    return value


def _reason(problem: Exception) -> str:
    return re.sub(r"file:/\S+", "<model>", told(problem))
