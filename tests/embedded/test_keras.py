"""Keras files: the service's own form of answer, and files of every age."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.embedded.rest import predictions_of, refusal_of, tarred, zipped

FIELDS = ["prediction", "prediction_classes", "probability"]
ROWS = [[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]


@pytest.fixture(scope="module")
def keras():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


def dense(keras, units, activation):
    """Three inputs, one layer of ones and zeros, so that the outcome can be told by hand."""
    model = keras.Sequential(
        [keras.layers.Input((3,)), keras.layers.Dense(units, activation=activation, name="dense_2")]
    )
    model.set_weights([np.eye(3, units), np.zeros(units)])
    return model


def written(model, path) -> bytes:
    model.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def softmax(keras, tmp_path_factory):
    """A classifier of three classes in a `.keras` file."""
    return written(dense(keras, 3, "softmax"), tmp_path_factory.mktemp("keras") / "model.keras")


def old_layout(model, path) -> bytes:
    """A file as Keras 2.1.6 wrote it in 2018: a bare list of layers without modules, attributes as bytes."""
    import h5py

    model.save(path, save_format="h5", include_optimizer=False)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "InputLayer"]
        layers[0]["config"]["batch_input_shape"] = [None, 3]
        for layer in layers:
            for key in ("module", "registered_name", "build_config"):
                layer.pop(key, None)
        old = {"class_name": "Sequential", "config": layers}
        file.attrs["model_config"] = np.bytes_(json.dumps(old))
        file.attrs["keras_version"] = np.bytes_("2.1.6")
        file.attrs["backend"] = np.bytes_("tensorflow")
    return path.read_bytes()


def test_a_softmax_is_answered_with_classes(rest, softmax):
    """As recorded: the last layer's name, and the probabilities twice with the class between them."""
    (scored,) = predictions_of(rest.score(rest.ready(tarred(model__keras=softmax)), {"values": ROWS}))
    assert scored["id"] == "dense_2"
    assert scored["fields"] == FIELDS
    assert [row[1] for row in scored["values"]] == [0, 2]
    assert scored["values"][0][0] == scored["values"][0][2] == pytest.approx([0.576, 0.212, 0.212], abs=1e-3)


def test_a_sigmoid_is_answered_with_lists(rest, keras, tmp_path):
    """As recorded for one unit: the class is a list of 1 above a half, else 0."""
    file = written(dense(keras, 1, "sigmoid"), tmp_path / "model.h5")
    deployment_id = rest.ready(tarred(model__h5=file))
    (scored,) = predictions_of(rest.score(deployment_id, {"values": [[4.0, 0, 0], [-4.0, 0, 0]]}))
    assert [row[1] for row in scored["values"]] == [[1], [0]]
    assert scored["values"][0][0] == scored["values"][0][2] == pytest.approx([0.982], abs=1e-3)


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_an_archive_of_either_kind_is_taken(rest, softmax, pack):
    """Both `.tgz` and `.zip` are in use."""
    assert predictions_of(rest.score(rest.ready(pack(model__keras=softmax)), {"values": ROWS}))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_of_2018_is_served(rest, keras, tmp_path):
    """Keras 3 cannot read it, tf-keras can."""
    tf_keras = pytest.importorskip("tf_keras")
    file = old_layout(dense(tf_keras, 3, "softmax"), tmp_path / "mnist_keras.h5")
    with pytest.raises(TypeError):
        keras.models.load_model(tmp_path / "mnist_keras.h5", compile=False)
    (scored,) = predictions_of(rest.score(rest.ready(tarred(mnist_keras__h5=file)), {"values": ROWS}))
    assert [row[1] for row in scored["values"]] == [0, 2]
    assert scored["id"] == "dense_2"


def test_several_inputs_and_outputs_go_by_name(rest, keras, tmp_path):
    """Inputs are told apart by `id`; each output is an element of its own."""
    left, right = keras.Input((1,), name="left"), keras.Input((1,), dtype="int32", name="right")
    total = keras.layers.Add(name="total")([left, keras.ops.cast(right, "float32")])
    double = keras.layers.Add(name="double")([total, total])
    file = written(keras.Model([left, right], [total, double]), tmp_path / "model.keras")
    deployment_id = rest.ready(tarred(model__keras=file))
    scored = rest.score(deployment_id, {"id": "right", "values": [[2]]}, {"id": "left", "values": [[0.5]]})
    assert [(one["id"], one["values"][0][0]) for one in predictions_of(scored)] == [("total", [2.5]), ("double", [5.0])]


def test_a_batch_of_zero_is_scored(rest, softmax):
    """No rows in, no rows out."""
    (scored,) = predictions_of(rest.score(rest.ready(tarred(model__keras=softmax)), {"values": []}))
    assert scored["values"] == []


def test_rows_that_do_not_fit_are_refused(rest, softmax):
    """The message names what the input takes and what came."""
    answer = rest.score(rest.ready(tarred(model__keras=softmax)), {"values": [[1.0, 2.0]]})
    assert "takes float32 of shape [?, 3]; got shape [1, 2]" in refusal_of(answer)


@pytest.fixture
def twice(keras, tmp_path) -> bytes:
    """An archive of a model with a Lambda layer."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Lambda(lambda x: x * 2, name="twice")])
    return tarred(model__keras=written(model, tmp_path / "model.keras"))


def test_a_lambda_layer_is_not_loaded_unasked(rest, twice):
    """It is Python code; the reason names the option that allows it."""
    message = rest.failure(twice)
    assert "Lambda layer" in message
    assert "wml_allow_pickle" in message


@pytest.mark.slow
def test_a_lambda_layer_runs_in_a_process_of_its_own(trusting, twice):
    """Where code may run; it costs a load of TensorFlow."""
    (scored,) = predictions_of(trusting.score(trusting.ready(twice), {"values": [[3.0]]}))
    assert scored["values"][0][0] == [6.0]


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "function", "module": "builtins", "config": "exec"},
        {"class_name": "function", "module": "os", "config": "system"},
        {"class_name": "Popen", "module": "subprocess", "config": {}},
        {"class_name": "func_load", "module": "tf_keras.src.utils.generic_utils", "config": {}},
    ],
)
def test_code_that_an_old_file_names_is_not_run_unasked(rest, layer):
    """tf-keras would import the module and call the function."""
    config = {"class_name": "Functional", "config": {"layers": [{**layer, "name": "evil", "inbound_nodes": []}]}}
    metadata = json.dumps({"keras_version": "2.15.0"}).encode()
    file = zipped(config__json=json.dumps(config).encode(), metadata__json=metadata, model__weights__h5=b"")
    message = rest.failure(tarred(old__keras=file))
    assert f"names Python code that is no layer of Keras: {layer['module']}." in message
    assert "wml_allow_pickle" in message


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_an_old_file_of_keras_s_own_layers_is_no_code(keras, tmp_path, name):
    """Also with operations of TensorFlow between them, initialisers, regularisers, and a loss of one's own."""
    tf_keras = pytest.importorskip("tf_keras")
    from pytest_wml.embedded.runtimes.keras_file import read

    given = tf_keras.layers.Input((4,))
    hidden = tf_keras.layers.Dense(3, activation="gelu", kernel_regularizer="l2")(given) * 2
    out = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(2))(tf_keras.layers.Reshape((3, 1))(hidden))
    model = tf_keras.Model(given, out)
    model.compile(loss=own_loss)
    model.save(tmp_path / name)
    assert read(tmp_path).code == ""


def own_loss(true, predicted):
    return predicted


def test_weights_alone_fail(rest, keras, tmp_path):
    """The reason says what to save instead."""
    dense(keras, 3, "softmax").save_weights(tmp_path / "model.weights.h5")
    message = rest.failure(tarred(model__h5=(tmp_path / "model.weights.h5").read_bytes()))
    assert "it has weights and no layers" in message


def test_what_only_looks_like_a_model_fails(rest):
    """A broken file is a reason, and no crash."""
    assert "model.h5 is no Keras model" in rest.failure(tarred(model__h5=b"junk"))


def test_two_files_are_a_choice(rest, softmax):
    """The archive has one model."""
    assert "needs one Keras file" in rest.failure(tarred(a__keras=softmax, b__keras=softmax))


@pytest.mark.parametrize(
    ("flavour", "saved_as"), [("wml cloud", "tf"), ("watsonx cloud", "tf"), ("watsonx cloud", "h5")]
)
@pytest.mark.filterwarnings("ignore:.*")
def test_a_keras_object_is_stored_by_a_client(keras, tmp_path, monkeypatch, flavour, saved_as):
    """`TF_MODEL_PARAMS` says how the client saves it, and so how it is answered."""
    pytest.importorskip("ibm_watson_machine_learning")
    pytest.importorskip("ibm_watsonx_ai")
    from tests.embedded.clients import connected, deploy, store

    monkeypatch.chdir(tmp_path)  # the clients leave files where they run
    with connected(flavour) as (client, _):
        model_id = store(client, dense(keras, 3, "softmax"), tf_model_params={"save_format": saved_as})
        scored = client.deployments.score(deploy(client, model_id), {"input_data": [{"values": ROWS}]})
    (element,) = scored["predictions"]
    assert element["id"] == ("output_0" if saved_as == "tf" else "dense_2")
    assert element.get("fields") == (None if saved_as == "tf" else FIELDS)
