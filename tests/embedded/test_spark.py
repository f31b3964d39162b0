"""Spark ML pipelines, in a Spark of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.rest import Rest, predictions_of, refusal_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("java") or os.environ.get("JAVA_HOME")), reason="java is not installed"),
]

TRAIN = """
import sys
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.createDataFrame([(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)] * 4, ["x", "y", "label"])
stages = [VectorAssembler(inputCols=["x", "y"], outputCol="features"), LogisticRegression()]
Pipeline(stages=stages).fit(rows).save(sys.argv[1])
"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Path:
    """A classifier of two columns, trained by Spark in a process of its own."""
    import tarfile

    folder = tmp_path_factory.mktemp("spark") / "pipeline"
    subprocess.run([sys.executable, "-c", TRAIN, str(folder)], check=True, capture_output=True)
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive


def test_a_pipeline_answers_with_all_its_columns(own: Rest, pipeline):
    """What came in, what was made of it, and the prediction; vectors are lists. Rows without names are refused."""
    model_id = own.store(pipeline, type="mllib_3.3", software_spec={"name": "spark-mllib_3.3"})
    deployment_id = own.create_deployment(model_id).json["metadata"]["id"]
    status = own.deployment(deployment_id)["entity"]["status"]
    assert status["state"] == "ready", status
    (found,) = predictions_of(own.score(deployment_id, {"fields": ["x", "y"], "values": [[1.0, 0.0], [0.0, 1.0]]}))
    assert found["fields"] == ["x", "y", "features", "rawPrediction", "probability", "prediction"]
    assert found["values"][0][:3] == [1.0, 0.0, [1.0, 0.0]]
    assert [row[-1] for row in found["values"]] == [1.0, 0.0]
    assert "needs 'fields'" in refusal_of(own.score(deployment_id, {"values": [[1.0, 0.0]]}))
    missing = refusal_of(own.score(deployment_id, {"fields": ["x"], "values": [[1.0]]}))
    assert "The pipeline refuses the input" in missing
