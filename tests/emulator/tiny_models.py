"""Small SavedModels, written with TensorFlow: what the embedded service is tested with."""

from __future__ import annotations

import tarfile
from pathlib import Path

import tensorflow as tf


def packed(folder: Path) -> Path:
    """The folder as IBM's client packs one: members `.`, `./saved_model.pb`, …"""
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive


def saved(folder: Path, function, *inputs: tf.TensorSpec, variables: tuple[tf.Variable, ...] = ()) -> Path:
    module = tf.Module()
    module.variables_of_the_model = list(variables)
    module.serve = tf.function(function, input_signature=inputs)
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    return packed(folder)


def classifier(folder: Path, bias: tuple[float, ...] = (0.1, 0.0, 0.0, 0.0)) -> Path:
    """Images float32 [?, 2, 2, 1] → probabilities float32 [?, 4] and classes int64 [?]."""
    bias = tf.Variable(bias, name="bias")

    def serve(images):
        logits = tf.reshape(images, [-1, 4]) + bias
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=1)}

    return saved(folder, serve, tf.TensorSpec([None, 2, 2, 1], tf.float32, name="images"), variables=(bias,))


def two_inputs(folder: Path) -> Path:
    """left float32 [?, 2] and right int32 [?] → total float32 [?]."""

    def serve(left, right):
        return {"total": tf.reduce_sum(left, axis=1) + tf.cast(right, tf.float32)}

    return saved(
        folder,
        serve,
        tf.TensorSpec([None, 2], tf.float32, name="left"),
        tf.TensorSpec([None], tf.int32, name="right"),
    )


def words(folder: Path) -> Path:
    """text string [?] → shouted string [?]."""

    def serve(text):
        return {"shouted": tf.strings.upper(text, encoding="utf-8")}

    return saved(folder, serve, tf.TensorSpec([None], tf.string, name="text"))


def flags(folder: Path) -> Path:
    """flag bool [?] → flipped bool [?]."""
    return saved(
        folder,
        lambda flag: {"flipped": tf.logical_not(flag)},
        tf.TensorSpec([None], tf.bool, name="flag"),
    )


def lookup(folder: Path) -> Path:
    """index int64 [?] → value float32 [?], where only 0, 1 and 2 are in the table."""
    table = tf.constant([10.0, 11.0, 12.0])

    def serve(index):
        # A gather beyond the table is an error on a CPU only, so the graph checks.
        fits = tf.debugging.assert_less(index, tf.constant(3, tf.int64), message="only 0, 1 and 2 are here")
        with tf.control_dependencies([fits]):
            return {"value": tf.gather(table, index)}

    return saved(folder, serve, tf.TensorSpec([None], tf.int64, name="index"))


def predict_images(folder: Path) -> Path:
    """As IBM's TensorFlow 1 sample is written: signature `predict_images`, inputs [?, 784] → classes."""
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        inputs = v1.placeholder(tf.float32, [None, 784], name="inputs")
        weights = v1.get_variable("weights", [784, 10], initializer=v1.zeros_initializer())
        classes = tf.argmax(tf.matmul(inputs, weights) + inputs[:, :10], axis=1)
        session.run(v1.global_variables_initializer())
        signature = v1.saved_model.signature_def_utils.build_signature_def(
            inputs={"inputs": v1.saved_model.utils.build_tensor_info(inputs)},
            outputs={"classes": v1.saved_model.utils.build_tensor_info(classes)},
            method_name="tensorflow/serving/classify",
        )
        builder = v1.saved_model.builder.SavedModelBuilder(str(folder))
        builder.add_meta_graph_and_variables(
            session, [v1.saved_model.SERVING], signature_def_map={"predict_images": signature}
        )
        builder.save()
    return packed(folder)


def undecided(folder: Path) -> Path:
    """Two signatures, none of them the default."""
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, name="x")
    module.one = tf.function(lambda x: {"y": x}, input_signature=[spec])
    module.two = tf.function(lambda x: {"y": -x}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"one": module.one, "two": module.two})
    return packed(folder)


def not_a_number(folder: Path) -> Path:
    """x float32 [?] → its square root float32 [?]: NaN below zero."""
    return saved(
        folder,
        lambda x: {"root": tf.sqrt(x)},
        tf.TensorSpec([None], tf.float32, name="x"),
    )


def exported(folder: Path) -> Path:
    """A Keras 3 export, with `serve` beside `serving_default`: pixels float32 [?, 2] → output_0 float32 [?, 2]."""
    import keras

    inputs = keras.Input((2,), name="pixels")
    keras.Model(inputs, keras.layers.Softmax()(inputs)).export(str(folder), verbose=False)
    return packed(folder)


def single_value(folder: Path) -> Path:
    """x float32 [] → y float32 []: no batch axis."""
    return saved(folder, lambda x: {"y": x * 2.0}, tf.TensorSpec([], tf.float32, name="x"))


def fixed_rows(folder: Path) -> Path:
    """x float32 [2, 2] → y float32 [2]: rows, always two."""
    return saved(folder, lambda x: {"y": tf.reduce_sum(x, 1)}, tf.TensorSpec([2, 2], tf.float32, name="x"))


def by_chance(folder: Path) -> Path:
    """x float32 [?, 4] → y float32 [?, 4]: a dropout that was left on."""
    return saved(folder, lambda x: {"y": tf.nn.dropout(x, 0.5)}, tf.TensorSpec([None, 4], tf.float32, name="x"))


def endless(folder: Path) -> Path:
    """x float32 [?] → never."""

    def serve(x):
        return {"y": tf.while_loop(lambda y: tf.reduce_all(y < 2.0), lambda y: (y * 1.0,), (x,))[0]}

    return saved(folder, serve, tf.TensorSpec([None], tf.float32, name="x"))


def reads_a_file(folder: Path) -> Path:
    """path string [?] → content string []: an error of TensorFlow's that says nothing of the input's form."""
    spec = tf.TensorSpec([None], tf.string, name="path")
    return saved(folder, lambda path: {"content": tf.io.read_file(path[0])}, spec)


SERVED = (classifier, two_inputs, words, flags, lookup, predict_images, not_a_number, exported, fixed_rows, by_chance)
ALL = (*SERVED, undecided, single_value, endless, reads_a_file)
