"""Writes one SavedModel of each kind that users have, in a process of its own: run with a folder and a number.

The number shifts TensorFlow's counters, so that two runs differ in every made-up name. The run without a shift writes
all kinds, and what TensorFlow itself says of each model's signatures to signatures.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from pytest_wml.model.export import export
from pytest_wml.model.network import build_network

v1 = tf.compat.v1


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def sample_weights() -> list[np.ndarray]:
    return [numbers(*weight.shape, seed=number) for number, weight in enumerate(build_network().weights)]


def sample(folder: Path) -> None:
    export(sample_weights(), folder)


def sample_one_float_changed(folder: Path) -> None:
    weights = sample_weights()
    weights[0].flat[7] = np.nextafter(weights[0].flat[7], np.float32(9))
    export(weights, folder)


def small_network(kind) -> object:
    network = kind.Sequential(
        [
            kind.Input((784,), name="image"),
            kind.layers.Dense(5, activation="relu", name="first"),
            kind.layers.BatchNormalization(name="second"),
            kind.layers.Dropout(0.5, name="third", seed=1),
            kind.layers.Dense(10, name="fourth"),
        ]
    )
    shapes = [weight.shape for weight in network.get_weights()]
    network.set_weights([numbers(*shape, seed=number) for number, shape in enumerate(shapes)])
    return network


def keras_export(folder: Path) -> None:
    small_network(keras).export(str(folder), verbose=False)


def keras_saved(folder: Path) -> None:
    tf.saved_model.save(small_network(keras), str(folder))


def tf_keras_trained(folder: Path) -> None:
    network = small_network(tf_keras)
    network.compile("adam", "mse")
    # One step, so that the optimizer has slots and a counter.
    network.train_on_batch(numbers(4, 784), numbers(4, 10))
    network.save(str(folder), save_format="tf")


def two_equal_shapes(folder: Path, order: tuple[int, int] = (1, 2)) -> None:
    module = tf.Module()
    module.first, module.second = (tf.Variable(numbers(4, 4, seed=seed), name="same") for seed in order)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def serve(x):
        return {"y": tf.nn.relu(x @ module.first) @ module.second}

    tf.saved_model.save(module, str(folder), signatures=serve)


def two_equal_shapes_swapped(folder: Path) -> None:
    two_equal_shapes(folder, (2, 1))


def loops_and_tables(folder: Path) -> None:
    words = folder.with_suffix(".txt")
    words.write_text("good\nbad\n")
    module = tf.Module()
    module.scale = tf.Variable(numbers(3, 3), name="scale")
    module.names = tf.Variable(["five", "four"], name="names")
    module.table = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        ),
        -1,
    )

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3], tf.float32, name="x"),
            tf.TensorSpec(None, tf.string, name="word"),
            tf.TensorSpec([], tf.bool, name="twice"),
        ]
    )
    def serve(x, word, twice):
        for _ in tf.range(3):
            x = tf.cond(twice, lambda x=x: x @ module.scale * 2.0, lambda x=x: x @ module.scale)
            x = tf.ensure_shape(x, [None, 3])
        return {"x": x, "number": module.table.lookup(word), "names": module.names.read_value()}

    tf.saved_model.save(module, str(folder), signatures=serve)


def several_signatures(folder: Path) -> None:
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, name="x")
    module.double = tf.function(lambda x: {"y": x * 2.0}, input_signature=[spec])
    module.half = tf.function(lambda x: {"y": x / 2.0}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"double": module.double, "a_half": module.half})


def old_style(folder: Path, partitions: int = 1, text: bool = False) -> None:
    """TensorFlow 1: one signature of a name of its own, reference variables, a while loop of single operations."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        images = v1.placeholder(tf.float32, [None, 784], "inputs")
        weights = v1.get_variable(
            "weights",
            [784, 10],
            initializer=v1.random_normal_initializer(seed=3),
            partitioner=v1.fixed_size_partitioner(partitions) if partitions > 1 else None,
            use_resource=False,
        )
        logits = images @ tf.convert_to_tensor(weights)
        _, logits = v1.while_loop(lambda i, _: i < 2, lambda i, z: (i + 1, z * 2.0), [tf.constant(0), logits])
        classes = tf.argmax(logits, 1, name="classes")
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        signature = v1.saved_model.predict_signature_def({"inputs": images}, {"classes": classes})
        builder.add_meta_graph_and_variables(session, ["serve"], {"predict_images": signature})
        builder.save(as_text=text)
    v1.enable_control_flow_v2()


def old_style_partitioned(folder: Path) -> None:
    old_style(folder, partitions=3)


def old_style_text(folder: Path) -> None:
    old_style(folder, text=True)


def no_variables(folder: Path) -> None:
    module = tf.Module()
    spec = tf.TensorSpec([2, None], tf.int32, name="x")
    module.serve = tf.function(lambda x: {"y": tf.reduce_sum(x, axis=1)}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures=module.serve)


KINDS: list[Callable[[Path], None]] = [
    sample,
    sample_one_float_changed,
    keras_export,
    keras_saved,
    tf_keras_trained,
    two_equal_shapes,
    two_equal_shapes_swapped,
    loops_and_tables,
    several_signatures,
    old_style,
    old_style_partitioned,
    old_style_text,
    no_variables,
]
ONCE = [sample_one_float_changed, two_equal_shapes_swapped, old_style_text]
"""What is not compared with a second export."""


def what_tensorflow_says(folder: Path) -> dict[str, object]:
    said = {}
    for name, function in tf.saved_model.load(str(folder)).signatures.items():
        inputs = function.structured_input_signature[1]
        outputs = function.structured_outputs
        said[name] = [
            {
                key: [spec.dtype.name, None if spec.shape.rank is None else spec.shape.as_list()]
                for key, spec in side.items()
            }
            for side in (inputs, outputs)
        ]
    return said


def main(folder: str, noise: str) -> None:
    again = int(noise) > 0
    for _ in range(int(noise)):
        tf.function(lambda x: x + 1)(tf.constant(1.0))
        tf.Variable(1.0)
    said = {}
    for make in [make for make in KINDS if not again or make not in ONCE]:
        target = Path(folder, make.__name__)
        make(target)
        if not again:
            said[make.__name__] = what_tensorflow_says(target)
    Path(folder, "signatures.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
