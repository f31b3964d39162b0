"""ONNX models, in the two forms in which the service answers them."""

from __future__ import annotations

import pytest

from pytest_wml.client.scoring import prediction
from tests.emulator.rest import Rest, predictions_of, refusal_of, tarred

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from onnx import TensorProto, helper

PYTORCH = "pytorch-onnx_2.1"
ONNX = "onnxruntime_1.16"


def graph(nodes, inputs, outputs) -> bytes:
    """A model of these nodes; each input and output is `(name, dtype, shape)`."""
    values = [[helper.make_tensor_value_info(*value) for value in values] for values in (inputs, outputs)]
    made = helper.make_graph(nodes, "graph", *values)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return tarred(model__onnx=model.SerializeToString())


@pytest.fixture(scope="module")
def softmax() -> bytes:
    """x float32 [?, 2] → scores float32 [?, 2] and classes int64 [?]."""
    nodes = [
        helper.make_node("Softmax", ["x"], ["scores"], axis=1),
        helper.make_node("ArgMax", ["x"], ["classes"], axis=1, keepdims=0),
    ]
    outputs = [("scores", TensorProto.FLOAT, ["n", 2]), ("classes", TensorProto.INT64, ["n"])]
    return graph(nodes, [("x", TensorProto.FLOAT, ["n", 2])], outputs)


def deploy_onnx(rest: Rest, archive: bytes) -> str:
    """Deploy a model of a type that goes with a software specification of its own."""
    model_id = rest.store(archive, type=ONNX, software_spec={"name": "onnxruntime_opset_19"})
    deployment_id = rest.create_deployment(model_id).json["metadata"]["id"]
    status = rest.deployment(deployment_id)["entity"]["status"]
    assert status["state"] == "ready", status
    return deployment_id


def test_onnxruntime_answers_each_output_by_name(rest, softmax):
    """In the order of the graph."""
    scored = predictions_of(rest.score(deploy_onnx(rest, softmax), {"values": [[0, 0], [1, 9]]}))
    assert [one["id"] for one in scored] == ["scores", "classes"]
    assert scored[0]["values"][0] == [0.5, 0.5]
    assert scored[1]["values"] == [0, 1]


def test_pytorch_answers_without_names(rest, softmax):
    """As recorded: values and nothing else."""
    deployment_id = rest.ready(softmax, PYTORCH)
    scored = predictions_of(rest.score(deployment_id, {"values": [[0, 0]]}))
    assert [list(one) for one in scored] == [["values"], ["values"]]
    assert "takes float32 of shape [?, 2]; got shape [1, 3]" in refusal_of(
        rest.score(deployment_id, {"values": [[1, 2, 3]]})
    )


def test_text_and_several_inputs_are_scored(tmp_path):
    """Text goes in and comes out as text; inputs are told apart by `id`."""
    import io
    import tarfile

    from pytest_wml.emulator.runtimes.onnx import load

    nodes = [helper.make_node("Identity", ["text"], ["same"]), helper.make_node("Not", ["flag"], ["flipped"])]
    inputs = [("text", TensorProto.STRING, ["n"]), ("flag", TensorProto.BOOL, ["n"])]
    outputs = [("same", TensorProto.STRING, ["n"]), ("flipped", TensorProto.BOOL, ["n"])]
    with tarfile.open(fileobj=io.BytesIO(graph(nodes, inputs, outputs))) as tar:
        tar.extractall(tmp_path, filter="data")
    scored = load(tmp_path).score([{"id": "flag", "values": [True]}, {"id": "text", "values": ["été"]}])
    assert scored == [{"id": "same", "values": ["été"]}, {"id": "flipped", "values": [False]}]


def test_a_converted_classifier_answers_with_maps(rest):
    """scikit-learn's converter gives the probabilities as maps from class to number."""
    skl2onnx = pytest.importorskip("skl2onnx")
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit([[0.0], [1.0]], [3, 4])
    converted = skl2onnx.to_onnx(
        model, initial_types=[("x", skl2onnx.common.data_types.FloatTensorType([None, 1]))], target_opset=13
    )
    deployment_id = deploy_onnx(rest, tarred(model__onnx=converted.SerializeToString()))
    label, probability = predictions_of(rest.score(deployment_id, {"values": [[9.0]]}))
    assert label == {"id": "output_label", "values": [4]}
    assert probability["id"] == "output_probability"
    assert set(probability["values"][0]) == {"3", "4"}


@pytest.mark.parametrize(("labels", "maps"), [([3, 7], True), (["no", "yes"], False)], ids=["maps", "rows"])
def test_a_converted_classifier_s_classes_are_its_labels(rest, labels, maps):
    """As scikit-learn's converter writes it: `output_label` and maps, or `label` and `probabilities`."""
    skl2onnx = pytest.importorskip("skl2onnx")
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit([[0.0], [1.0]], labels)
    given = [("x", skl2onnx.common.data_types.FloatTensorType([None, 1]))]
    converted = skl2onnx.to_onnx(model, initial_types=given, target_opset=13, options={id(model): {"zipmap": maps}})
    deployment_id = deploy_onnx(rest, tarred(model__onnx=converted.SerializeToString()))
    rows = [[9.0], [-9.0], [0.4]]
    answer = prediction(rest.score(deployment_id, {"values": rows}).json)
    assert answer.classes.tolist() == model.predict(rows).tolist()
    assert answer.probabilities == pytest.approx(model.predict_proba(rows), abs=1e-6)
    assert answer.labels == (tuple(labels) if maps else ())


def test_a_pytorch_model_s_classes_are_its_labels(rest):
    """Its answer has no names: the whole numbers beside the scores are told by what they are."""
    labels = helper.make_tensor("labels", TensorProto.INT64, [2], [3, 7])
    nodes = [
        helper.make_node("Softmax", ["x"], ["scores"], axis=1),
        helper.make_node("Constant", [], ["labels"], value=labels),
        helper.make_node("ArgMax", ["x"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["labels", "best"], ["variable"]),
    ]
    outputs = [("scores", TensorProto.FLOAT, ["n", 2]), ("variable", TensorProto.INT64, ["n"])]
    archive = graph(nodes, [("x", TensorProto.FLOAT, ["n", 2])], outputs)
    answer = prediction(rest.score(rest.ready(archive, PYTORCH), {"values": [[0, 9], [9, 0]]}).json)
    assert answer.classes.tolist() == [7, 3]
    assert answer.probabilities.argmax(axis=1).tolist() == [1, 0]


def test_an_output_that_json_cannot_carry_fails(rest):
    """When the model is loaded, not when it is scored."""
    cast = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.BFLOAT16)
    archive = graph([cast], [("x", TensorProto.FLOAT, ["n"])], [("y", TensorProto.BFLOAT16, ["n"])])
    assert rest.failure(archive, PYTORCH) == "Output 'y' is of type tensor(bfloat16), which JSON cannot carry."


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model__onnx": b"junk"}, "ONNX Runtime cannot load the model"),
        ({"readme__txt": b""}, "needs one .onnx file at its root; found none"),
    ],
)
def test_what_is_no_model_fails(rest, files, message):
    """Each with its reason, without the paths of this machine."""
    found = rest.failure(tarred(**files), PYTORCH)
    assert message in found
    assert "/tmp" not in found
