"""Spark ML pipelines, in a Spark of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, predictions_of, refusal_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("java") or os.environ.get("JAVA_HOME")), reason="java is not installed"),
]

TRAIN = """
import json, pathlib, sys
from datetime import date
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import HashingTF, SQLTransformer, StringIndexer, Tokenizer, VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
folder = pathlib.Path(sys.argv[1])

rows = spark.createDataFrame([(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)] * 4, ["x", "y", "label"])
stages = [VectorAssembler(inputCols=["x", "y"], outputCol="features"), LogisticRegression()]
Pipeline(stages=stages).fit(rows).save(str(folder / "pipeline"))

one = (22.0, "a b", 1.0, date(2024, 1, 31), Vectors.dense([1.0, 0.0]), 0.0)
other = (65.5, "c", 2.0, date(2023, 1, 31), Vectors.dense([0.0, 1.0]), 1.0)
rows = spark.createDataFrame([one, other] * 4, ["age", "text", "code", "day", "given", "label"])
stages = [
    Tokenizer(inputCol="text", outputCol="words"),
    HashingTF(inputCol="words", outputCol="hashed", numFeatures=4),
    StringIndexer(inputCol="code", outputCol="index", handleInvalid="keep", stringOrderType="alphabetAsc"),
    SQLTransformer(statement="SELECT *, year(day) AS year, coalesce(age, 20.0D) AS known FROM __THIS__"),
    VectorAssembler(inputCols=["known", "index", "year", "given"], outputCol="features"),
    LogisticRegression(),
]
Pipeline(stages=stages).fit(rows).save(str(folder / "mixed"))
(folder / "mixed.json").write_text(rows.schema.json())
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder of pipelines, packed, and the schema of one, made by Spark in a process of its own."""
    import tarfile

    folder = tmp_path_factory.mktemp("spark")
    subprocess.run([sys.executable, "-c", TRAIN, str(folder)], check=True, capture_output=True)
    for name in ("pipeline", "mixed"):
        with tarfile.open(folder / f"{name}.tar.gz", "w:gz") as tar:
            tar.add(folder / name, arcname=".")
    return folder


@pytest.fixture(scope="module")
def pipeline(trained) -> Path:
    """A classifier of two columns."""
    return trained / "pipeline.tar.gz"


@pytest.fixture(scope="module")
def own():
    """One service for all: a pipeline that is deployed twice is loaded once."""
    with EmbeddedWML() as app:
        yield Rest(app)
    assert app.crashes == []


def deployed(rest: Rest, archive: Path, **members: object) -> str:
    model_id = rest.store(archive, type="mllib_3.3", software_spec={"name": "spark-mllib_3.3"}, **members)
    deployment_id = rest.create_deployment(model_id).json["metadata"]["id"]
    status = rest.deployment(deployment_id)["entity"]["status"]
    assert status["state"] == "ready", status
    return deployment_id


def test_a_pipeline_answers_with_all_its_columns(own: Rest, pipeline):
    """What came in, what was made of it, and the prediction; vectors are lists. Rows without names are refused."""
    deployment_id = deployed(own, pipeline)
    (found,) = predictions_of(own.score(deployment_id, {"fields": ["x", "y"], "values": [[1.0, 0.0], [0.0, 1.0]]}))
    assert found["fields"] == ["x", "y", "features", "rawPrediction", "probability", "prediction"]
    assert found["values"][0][:3] == [1.0, 0.0, [1.0, 0.0]]
    assert [row[-1] for row in found["values"]] == [1.0, 0.0]
    assert "needs 'fields'" in refusal_of(own.score(deployment_id, {"values": [[1.0, 0.0]]}))
    missing = refusal_of(own.score(deployment_id, {"fields": ["x"], "values": [[1.0]]}))
    assert "The pipeline refuses the input" in missing


FIELDS = ["age", "text", "code", "day", "given"]


def table(found) -> list[dict]:
    return [dict(zip(found["fields"], row, strict=True)) for row in found["values"]]


def test_rows_take_their_schema_from_the_training_data(own: Rest, trained):
    """Whole numbers for doubles, texts for dates, lists for vectors, nulls; also after a restart of its process."""
    schema = {**json.loads((trained / "mixed.json").read_text()), "id": "1"}
    deployment_id = deployed(own, trained / "mixed.tar.gz", training_data_references=[{"schema": schema}])
    rows = [[22, "a b", 1, "2024-01-31", [1, 0]], [65.5, "c", 2, "2023-01-31", [2, [1], [1.0]]]]
    first, second = table(predictions_of(own.score(deployment_id, {"fields": FIELDS, "values": rows}))[0])
    assert [first["age"], first["day"], first["year"], first["index"]] == [22.0, "2024-01-31", 2024, 0.0]
    assert [first["prediction"], second["prediction"]] == [0.0, 1.0]
    assert second["given"] == [2, [1], [1.0]]
    (missing,) = table(
        predictions_of(own.score(deployment_id, {"fields": FIELDS, "values": [[None, *rows[0][1:]]]}))[0]
    )
    assert missing["age"] is None
    refused = refusal_of(own.score(deployment_id, {"fields": FIELDS, "values": [["old", *rows[0][1:]]]}))
    assert "Column 'age' is double" in refused


def test_rows_without_a_stored_schema_are_told_from_their_values(own: Rest, trained):
    """A column of nulls or of lists is what the pipeline takes; an indexed number is the fraction that it was."""
    deployment_id = deployed(own, trained / "mixed.tar.gz")
    rows = [[22, "a b", 1, "2024-01-31", [1, 0]], [65.5, "c", 2, "2023-01-31", [0, 1]]]
    found = table(predictions_of(own.score(deployment_id, {"fields": FIELDS, "values": rows}))[0])
    assert [row["prediction"] for row in found] == [0.0, 1.0]
    assert [row["index"] for row in found] == [0.0, 1.0]
    nulls = [[None, "a b", 1, "2024-01-31", [1, 0]]]
    (missing,) = table(predictions_of(own.score(deployment_id, {"fields": FIELDS, "values": nulls}))[0])
    assert missing["age"] is None
    text = [[22, None, 1, "2024-01-31", [1, 0]]]
    assert "The pipeline refuses the input" in refusal_of(own.score(deployment_id, {"fields": FIELDS, "values": text}))
    mixed = [[22, "a", "b", "2024-01-31", [1, 0]], [22, "a", 1, "2024-01-31", [1, 0]]]
    assert "Column 'code' is double" in refusal_of(own.score(deployment_id, {"fields": FIELDS, "values": mixed}))
