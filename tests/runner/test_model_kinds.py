"""What `wml_model` can name: archives, folders, and models that are one file."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys

# Loaded before the inner runs, as in conftest.py: it cannot be imported twice.
import onnx
import pytest

from pytest_wml import WmlDeployment
from tests.emulator.test_spark import TRAIN
from tests.model.test_recognition import PMML

RECORD = ("--wml=embedded", "--wml-record")
TESTS = """
    import numpy as np

    def test_classes(wml_deployment):
        answer = wml_deployment.predict(np.eye(3, dtype="float32"))
        assert answer.classes.tolist() == [0, 1, 2]
        assert wml_deployment.archive.kind in ("savedmodel", "keras", "other")
"""


@pytest.fixture(scope="session")
def network():
    """A softmax over three numbers."""
    import keras
    import numpy as np

    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax", name="scores")])
    network.set_weights([np.eye(3, dtype="float32") * 5, np.zeros(3, dtype="float32")])
    return network


@pytest.mark.parametrize("file", ["model.h5", "model.keras"])
def test_a_keras_model_in_a_file(pytester, network, file):
    """A bare .h5 or .keras file is packed as WML takes it. Recorded and replayed."""
    network.save(pytester.path / file)
    pytester.makepyfile(TESTS)
    pytester.runpytest_inprocess(*RECORD, f"--wml-model={file}").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes" / "model.yaml").exists()
    pytester.runpytest_inprocess(f"--wml-model={file}").assert_outcomes(passed=1)


def test_a_pickled_model(pytester):
    """A pickled scikit-learn model, once its code may run; a retrained one fails in replay."""
    from sklearn.neighbors import KNeighborsClassifier

    def fitted(classes):
        return KNeighborsClassifier(1).fit([[1, 0, 0], [0, 1, 0], [0, 0, 1]], classes)

    path = pytester.path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted([0, 1, 2])))
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nwml_model = model.pkl\nwml_model_type = scikit-learn_1.3\nwml_allow_pickle = yes\n")
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    path.write_bytes(pickle.dumps(fitted([2, 1, 0])))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The model changed: cassette model was recorded with another one."])


def test_a_folder_outside_the_project_has_its_own_name(pytester, network, tmp_path):
    """An exported folder is packed too; `--wml-model=.` inside it is named after it. Recorded and replayed."""
    pytester.makepyfile(TESTS)
    network.export(tmp_path / "champion", verbose=False)
    pytester.runpytest_inprocess(*RECORD, f"--wml-model={tmp_path / 'champion'}/.").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes" / "champion.yaml").exists()
    pytester.runpytest_inprocess(f"--wml-model={tmp_path / 'champion'}/.").assert_outcomes(passed=1)


SCORE = """
    def test_doubled(wml_deployment):
        answer = wml_deployment.score({"input_data": [{"values": [[1.0, 2.0]]}]})
        assert answer["predictions"][0] == {"id": "y", "values": [[2.0, 4.0]]}
"""


def doubling(path):
    """An ONNX model: x float32 [?, 2] → y float32 [?, 2], twice as much."""
    values = [onnx.helper.make_tensor_value_info(name, 1, ["n", 2]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "x"], ["y"])], "g", values[:1], values[1:])
    opset = [onnx.helper.make_opsetid("", 15)]
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
    return path


BOOST = """
import sys, numpy, xgboost
rows = xgboost.DMatrix(numpy.eye(4)[:, :2], label=[1.0, 0.0, 0.0, 0.0])
xgboost.train({"nthread": 1}, rows, 2).save_model(sys.argv[1])
"""


def test_a_type_is_inferred_from_the_model(pytester):
    """Said above the tests; recorded, and replayed without any framework."""
    doubling(pytester.path / "model.onnx")
    pytester.makepyfile(SCORE)
    pytester.makeini("[pytest]\nwml_model = model.onnx\n")
    line = "wml: model type: model.onnx (onnxruntime_1.17 with onnxruntime_opset_21, inferred from the file)"
    for arguments in (RECORD, ()):
        result = pytester.runpytest_inprocess(*arguments)
        result.assert_outcomes(passed=1)
        assert line in result.stdout.lines


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), []),
        (("-q",), []),
        (
            ("--wml-model=model.onnx", "--wml-software-spec=runtime-24.1-py3.11"),
            ["wml: model type: model.onnx (pytorch-onnx_2.1, inferred from the file, with runtime-24.1-py3.11)"],
        ),
        (
            ("--wml-model=model.onnx", "--wml-model-type=onnxruntime_1.16"),
            ["wml: model type: model.onnx (onnxruntime_1.16 with onnxruntime_opset_19, inferred from the type)"],
        ),
        (("--wml-model=model.onnx", "--wml-model-type=a", "--wml-software-spec=b"), []),
        (("--wml-model=gone.onnx",), ["wml: model type: gone.onnx (The model archive cannot be opened.)"]),
        (("--wml-model=train",), []),
    ],
)
def test_the_header_says_what_is_inferred(pytester, given, said):
    """And nothing where nothing is: in a run without a model, or with both given."""
    (pytester.path / "model.onnx").write_bytes(b"x")
    result = pytester.runpytest_inprocess("--wml=embedded", *given)
    assert [line for line in result.stdout.lines if line.startswith("wml: model type:")] == said


@pytest.mark.slow
def test_models_of_several_kinds_in_one_suite(pytester):
    """Each with a type of its own; one may be named by a contract file alone."""
    sklearn = pytest.importorskip("sklearn.linear_model")
    (pytester.path / "model.pkl").write_bytes(
        pickle.dumps(sklearn.LinearRegression().fit([[1, 0], [0, 1]], [1.0, 0.0]))
    )
    subprocess.run([sys.executable, "-c", BOOST, "model.json"], check=True)
    doubling(pytester.path / "model.onnx")
    (pytester.path / "model.wml.yaml").write_text(
        "model: model.onnx\nexamples:\n  - input: [1, 2]\nrepeatability: yes\n"
    )
    pytester.makeini(
        "[pytest]\nwml_allow_pickle = yes\nwml_deployments =\n    linear = model.pkl\n    trees = model.json\n"
    )
    pytester.makepyfile(
        """
        TYPES = {"linear": "scikit-learn_1.3", "trees": "xgboost_2.0"}

        def test_it(wml_client, wml_deployment):
            assert wml_deployment.score({"input_data": [{"values": [[1.0, 0.0]]}]})["predictions"]
            model = wml_client.repository.get_model_details(wml_deployment.model_id)
            assert model["entity"]["type"] == TYPES[wml_deployment.name]
        """
    )
    pytester.runpytest_inprocess("--wml=embedded", "-p", "no:recording").assert_outcomes(passed=3)


def test_a_pmml_document_is_stored_and_not_run(pytester):
    """As IBM's clients store one; the embedded service says that it does not run PMML."""
    (pytester.path / "iris.pmml").write_bytes(PMML)
    pytester.makepyfile("def test_it(wml_deployment): pass")
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-model=iris.pmml")
    result.assert_outcomes(errors=1)
    assert "wml: model type: iris.pmml (pmml_4.2.1 with pmml-3.0_4.3, inferred from the file)" in result.stdout.lines
    assert "does not run models of type 'pmml'; the live service may." in result.stdout.str()


@pytest.mark.parametrize("mode", ["replay", "embedded"])
def test_a_type_of_another_kind_is_refused_before_the_upload(pytester, mode):
    """With the type that would do, and the user's own path."""
    (pytester.path / "model.onnx").write_bytes(b"x")
    (pytester.path / "cassettes").mkdir()
    (pytester.path / "cassettes" / "any.yaml").write_text("")
    pytester.makepyfile("def test_it(wml_model_archive): pass")
    result = pytester.runpytest_inprocess(f"--wml={mode}", "--wml-model=model.onnx", "--wml-model-type=tensorflow_2.14")
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert "model.onnx is an ONNX model, and the type tensorflow_2.14 is for models of another kind." in text
    assert f"model: {pytester.path / 'model.onnx'}" in text
    assert "leave the type out, which infers it, or give onnxruntime_1.17" in text


def test_a_type_is_inferred_without_pytest(tmp_path, monkeypatch):
    """By WmlDeployment."""
    monkeypatch.chdir(tmp_path)
    with WmlDeployment(doubling(tmp_path / "model.onnx"), mode="embedded") as deployment:
        stored = deployment.client.repository.get_model_details(deployment.model_id)
        assert (stored["entity"]["type"], stored["entity"]["software_spec"]["name"]) == (
            "onnxruntime_1.17",
            "onnxruntime_opset_21",
        )
        assert deployment.predict([[1.0, 2.0]]).outputs["y"].tolist() == [[2.0, 4.0]]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The folder of a classifier of x and y, saved by Spark."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("java is not installed")
    folder = tmp_path_factory.mktemp("spark")
    subprocess.run([sys.executable, "-c", TRAIN, str(folder)], check=True, capture_output=True)
    return folder / "pipeline"


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_a_saved_spark_pipeline(pytester, pipeline, packed):
    """Its folder, or an archive of it."""
    name = os.path.basename(shutil.make_archive("pipeline", "gztar", pipeline)) if packed else "pipeline"
    if not packed:
        shutil.copytree(pipeline, name)
    pytester.makepyfile(
        """
        def test_it(wml_deployment):
            answer = wml_deployment.score({"input_data": [{"fields": ["x", "y"], "values": [[1.0, 0.0]]}]})
            assert answer["predictions"][0]["values"][0][-1] == 1.0
        """
    )
    for arguments in (RECORD, ()):
        result = pytester.runpytest_inprocess(*arguments, f"--wml-model={name}")
        result.assert_outcomes(passed=1)
        what = "file" if packed else "folder"
        line = f"wml: model type: {name} (mllib_3.4 with spark-mllib_3.4, inferred from the {what})"
        assert line in result.stdout.lines
