"""Keras files: the service's own form of answer, and files of every age."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_wml.client.scoring import prediction
from tests.emulator.rest import predictions_of, refusal_of, tarred, zipped

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
    assert "EmbeddedWML(allow_pickle=True)" in message


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
    assert "EmbeddedWML(allow_pickle=True)" in message


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_an_old_file_of_keras_s_own_layers_is_no_code(keras, tmp_path, name):
    """Also with operations of TensorFlow between them, initialisers, regularisers, and a loss of one's own."""
    tf_keras = pytest.importorskip("tf_keras")
    from pytest_wml.model.keras_file import read

    given = tf_keras.layers.Input((4,))
    hidden = tf_keras.layers.Dense(3, activation="gelu", kernel_regularizer="l2")(given) * 2
    out = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(2))(tf_keras.layers.Reshape((3, 1))(hidden))
    model = tf_keras.Model(given, out)
    model.compile(loss=own_loss)
    model.save(tmp_path / name)
    assert (read(tmp_path).code, read(tmp_path).custom) == ("", ())


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
    from tests.emulator.clients import connected, deploy, store

    monkeypatch.chdir(tmp_path)  # the clients leave files where they run
    with connected(flavour) as (client, _):
        model_id = store(client, dense(keras, 3, "softmax"), tf_model_params={"save_format": saved_as})
        scored = client.deployments.score(deploy(client, model_id), {"input_data": [{"values": ROWS}]})
    (element,) = scored["predictions"]
    assert element["id"] == ("output_0" if saved_as == "tf" else "dense_2")
    assert element.get("fields") == (None if saved_as == "tf" else FIELDS)


def answer_of(model, rows, folder, name="model.keras") -> list:
    """The predictions of a model that was written and loaded as the service does."""
    from pytest_wml.emulator.runtimes.keras import load

    model.save(folder / name)
    return load(folder).score([{"values": rows}])


def failure_of(model, folder, name="model.keras") -> str:
    from pytest_wml.emulator.runtimes.keras import load
    from pytest_wml.model.serving import LoadFailed

    model.save(folder / name)
    with pytest.raises(LoadFailed) as failure:
        load(folder)
    assert str(folder) not in str(failure.value)
    return str(failure.value)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_layer_that_gives_text_is_answered_with_its_prediction_alone(keras, tmp_path, name):
    """Text is the class itself: it has no number that could be the largest."""
    lookup = keras.layers.StringLookup(vocabulary=["cat", "dog"], invert=True, name="pet")
    model = keras.Sequential([keras.Input((1,), dtype="int64"), lookup])
    found = answer_of(model, [[1], [2], [9]], tmp_path, name)
    assert found == [{"id": "pet", "fields": ["prediction"], "values": [[["cat"]], [["dog"]], [["[UNK]"]]]}]
    assert prediction({"predictions": found}).classes.tolist() == ["cat", "dog", "[UNK]"]


def test_one_whole_number_a_row_is_the_class_itself(keras, tmp_path):
    """It is no probability, and not compared with a half."""
    given = keras.Input((3,))
    found = answer_of(keras.Model(given, keras.ops.argmax(given, axis=-1)), ROWS, tmp_path)
    assert [(one["fields"], one["values"]) for one in found] == [(["prediction"], [[0], [2]])]
    assert prediction({"predictions": found}).classes.tolist() == [0, 2]


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda layers: layers.TextVectorization(vocabulary=["a", "b"], ragged=True, name="words"),
        lambda layers: layers.StringLookup(vocabulary=["a"], output_mode="multi_hot", sparse=True, name="words"),
    ],
    ids=["ragged", "sparse"],
)
def test_rows_that_are_ragged_or_sparse_fail_when_deployed(keras, tmp_path, layer, name):
    """Once, and not at each scoring."""
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer(keras.layers)])
    assert failure_of(model, tmp_path, name) == (
        "Output 'words' is sparse or ragged, which is not known to be written as JSON."
    )


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda ops, x: ops.cast(x, "complex64"), "is of dtype complex64, which JSON cannot carry."),
        (lambda ops, x: ops.mean(x), "has no batch axis: it is a single value, and an answer has rows."),
    ],
    ids=["complex", "single value"],
)
def test_other_outputs_that_are_no_rows_of_json_fail_when_deployed(keras, tmp_path, output, message):
    """The reason names the output."""
    given = keras.Input((3,), name="given")
    assert failure_of(keras.Model(given, output(keras.ops, given)), tmp_path) == f"Output 'given' {message}"


def test_a_model_that_cannot_be_computed_fails_when_deployed(keras, tmp_path):
    """With what the layer says."""
    saved = False

    @keras.saving.register_keras_serializable("ours")
    class Broken(keras.layers.Layer):
        def call(self, x):
            if saved:
                raise ValueError("its table is not here")
            return x

    model = keras.Sequential([keras.Input((3,)), Broken(trainable=False)])
    model.save(tmp_path / "model.keras")
    made = keras.models.load_model(tmp_path / "model.keras")
    saved = True
    message = network_failure(made, tmp_path)
    assert message.startswith("The model cannot be computed. ValueError: ")
    assert "its table is not here" in message


def network_failure(model, folder) -> str:
    from pytest_wml.emulator.runtimes.keras import Network
    from pytest_wml.model.keras_file import read
    from pytest_wml.model.serving import LoadFailed

    with pytest.raises(LoadFailed) as failure:
        Network(model, read(folder))
    return str(failure.value)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_floats_of_any_width_are_answered(keras, tmp_path, dtype):
    """As the numbers that they are; what is no number stays none."""
    given = keras.Input((3,))
    found = answer_of(keras.Model(given, keras.ops.cast(given, dtype)), [[0.5, float("nan"), float("inf")]], tmp_path)
    ((row, _, _),) = found[0]["values"]
    assert (row[0], np.isnan(row[1]), row[2]) == (0.5, True, float("inf"))
    json.dumps(found)


@pytest.mark.parametrize("form", ["dict", "list", "nested"])
def test_outputs_of_any_structure_are_an_element_each(keras, tmp_path, form):
    """By the names of their layers."""
    given = keras.Input((3,))
    one, two = (keras.layers.Dense(1, name=name)(given) for name in ("one", "two"))
    outputs = {"dict": {"z": one, "a": two}, "list": [one, two], "nested": {"z": [one], "a": two}}[form]
    model = keras.Model(given, outputs)
    found = {each["id"]: [row[0] for row in each["values"]] for each in answer_of(model, ROWS, tmp_path)}
    expected = [pytest.approx(keras.Model(given, output)(np.array(ROWS)).numpy(), abs=1e-6) for output in (one, two)]
    assert found == dict(zip(("one", "two"), expected, strict=True))


@pytest.fixture
def scaled(keras):
    """A model with a registered layer, which nobody knows any more after `forget()`."""

    @keras.saving.register_keras_serializable(package="ours")
    class Scaled(keras.layers.Layer):
        def call(self, x):
            return x * 2

    yield keras.Sequential([keras.Input((3,)), Scaled()])
    keras.saving.get_custom_objects().pop("ours>Scaled", None)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize(
    ("name", "words"),
    [("model.keras", "Could not locate class 'Scaled'"), ("model.h5", "Unknown layer: 'ours>Scaled'")],
)
def test_a_refusal_names_the_class_that_is_not_there(keras, tmp_path, scaled, name, words):
    """Keras says it last, after the configuration of the whole model."""
    scaled.save(tmp_path / name)
    keras.saving.get_custom_objects().clear()
    message = failure_of(scaled, tmp_path, name)
    assert words in message
    assert "cannot be loaded. It needs ours>Scaled, not among Keras's own classes and functions." in message


def test_a_class_that_only_this_process_knows_is_doubted(rest, keras, tmp_path, scaled):
    """The embedded service runs in the test's process, where the class is registered; the live one does not."""
    deployment_id = rest.ready(tarred(model__keras=written(scaled, tmp_path / "model.keras")))
    assert predictions_of(rest.score(deployment_id, {"values": ROWS}))
    assert any("classes or functions that are not Keras's own: ours>Scaled." in each for each in rest.app.warnings)


def custom_of(model, path) -> tuple[str, ...]:
    from pytest_wml.model.keras_file import read

    model.save(path)
    return read(path.parent).custom


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_classes_and_functions_of_one_s_own_are_told_from_keras_s(tmp_path, package, name):
    """Registered or not, also an activation and an initializer; read without Keras."""
    keras = pytest.importorskip(package)

    class Unknown(keras.layers.Layer):
        def call(self, x):
            return x

    @keras.saving.register_keras_serializable("ours")
    class Known(keras.layers.Layer):
        def call(self, x):
            return x

    own = keras.layers.Dense(2, activation=own_activation)
    theirs = keras.layers.Dense(2, activation="gelu", kernel_regularizer="l2", kernel_initializer="he_normal")
    model = keras.Sequential([keras.layers.Input((3,)), Unknown(), theirs, keras.layers.Wrapper(Known()), own])
    assert custom_of(model, tmp_path / name) == ("Unknown", "ours>Known", "own_activation")


def own_activation(x):
    return x


def test_what_keras_has_of_its_own_is_known():
    """Every layer, initializer and the like of the Keras that is installed: files of HDF5 give their names alone."""
    import inspect

    from pytest_wml.model.keras_names import KERAS_NAMES

    kinds = ("layers", "initializers", "regularizers", "constraints")
    found = set()
    for package in ("keras", "tf_keras"):
        keras = pytest.importorskip(package)
        found |= {name for kind in kinds for name, each in vars(getattr(keras, kind)).items() if inspect.isclass(each)}
    assert found <= KERAS_NAMES
