"""Lint's verdict on an archive is the deployment's: what it calls an error fails, what it passes is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.model.lint.findings import LintFinding, LintLevel
from pytest_wml.model.lint.linter import lint
from pytest_wml.model.lint.specification import LintTarget
from tests.emulator.rest import Rest
from tests.model.lint import packing
from tests.model.lint.packing import TENSORFLOW, Files, below, link, tarred, without, zipped

pytestmark = pytest.mark.slow
pytest.importorskip("tensorflow")

SHARD = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"
GRAPH = "saved_model.pb"


def cut(contents: Files, name: str) -> Files:
    return {**contents, name: contents[name][: len(contents[name]) // 2]}


# Each made of the files of a sound SavedModel.
BROKEN: dict[str, Callable[[Files], bytes]] = {
    "nested": lambda files: tarred(below(files, "export")),
    "nested deep": lambda files: tarred(below(files, "a/b/00001")),
    "nested zip": lambda files: zipped(below(files, "export")),
    "without a graph": lambda files: tarred(without(files, GRAPH)),
    "nothing in it": lambda files: tarred({}),
    "no archive": lambda files: files[GRAPH],
    "cut short": lambda files: tarred(files)[:-2000],
    "not even a header": lambda files: b"\x1f\x8b\x08\x00",
    "a link": lambda files: tarred(files, "w:gz", link("current", "saved_model.pb")),
    "out of it": lambda files: tarred({**files, "../evil": b"x"}),
    "absolute": lambda files: tarred({**files, "/etc/evil": b"x"}),
    "damaged zip": lambda files: zipped(files)[:-100],
    "empty graph": lambda files: tarred({**files, GRAPH: b""}),
    "graph of noise": lambda files: tarred({**files, GRAPH: b"\xff" * 99}),
    "graph cut short": lambda files: tarred(cut(files, GRAPH)),
    "tagged for training": lambda files: tarred(packing.retagged(files, ["train"])),
    "tagged for a GPU too": lambda files: tarred(packing.retagged(files, ["serve", "gpu"])),
    "not tagged": lambda files: tarred(packing.retagged(files, [])),
    "no index": lambda files: tarred(without(files, INDEX)),
    "no variables": lambda files: tarred(without(files, INDEX, SHARD)),
    "no data": lambda files: tarred(without(files, SHARD)),
    "data cut short": lambda files: tarred(cut(files, SHARD)),
    "index cut short": lambda files: tarred(cut(files, INDEX)),
    "pickle": lambda files: tarred({"model.pkl": b"\x80\x04."}),
    "weights of Keras alone": lambda files: tarred({"model.h5": b"\x89HDF\r\n\x1a\n"}),
    "no HDF5": lambda files: tarred({"model.h5": b"no"}),
    "no Keras": lambda files: tarred({"model.keras": zipped({"a": b"b"})}),
}


@pytest.fixture(scope="module")
def rest():
    with EmbeddedWML() as app:
        yield Rest(app)
    assert app.crashes == []


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> dict[str, Path]:
    from tests.emulator import tiny_models

    folder = tmp_path_factory.mktemp("tiny")
    makers = (*tiny_models.ALL, *OTHERS)
    return {make.__name__: make(folder / make.__name__) for make in makers}


def complex_input(folder: Path) -> Path:
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    return saved(folder, lambda x: {"y": tf.abs(x)}, tf.TensorSpec([None], tf.complex64, name="x"))


def complex_output(folder: Path) -> Path:
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    return saved(folder, lambda x: {"y": tf.complex(x, x)}, tf.TensorSpec([None], tf.float32, name="x"))


def ragged_output(folder: Path) -> Path:
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    return saved(folder, lambda x: {"y": tf.RaggedTensor.from_tensor(x)}, tf.TensorSpec([None, 3], name="x"))


def without_inputs(folder: Path) -> Path:
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    return saved(folder, lambda: {"y": tf.constant([1.0])})


def ragged_input(folder: Path) -> Path:
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    return saved(folder, lambda x: {"y": x.to_tensor()}, tf.RaggedTensorSpec([None, None], tf.float32))


def sparse_input(folder: Path) -> Path:
    """As TensorFlow 1 writes it: one input of three tensors."""
    import tensorflow as tf

    from tests.emulator.tiny_models import packed

    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.sparse_placeholder(tf.float32, [None, 3])
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": v1.sparse.to_dense(x)})
        builder = v1.saved_model.builder.SavedModelBuilder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"predict": signature})
        builder.save()
    return packed(folder)


def unsigned(folder: Path) -> Path:
    from tests.emulator.tiny_models import predict_images

    made = predict_images(folder)
    made.write_bytes(tarred(packing.unsigned(packing.unpacked(made))))
    return made


def dangling(folder: Path) -> Path:
    from tests.emulator.tiny_models import predict_images

    made = predict_images(folder)
    made.write_bytes(tarred(packing.with_unknown_node(packing.unpacked(made))))
    return made


def old(folder: Path, inputs: tuple[str, ...], **more: object) -> Path:
    """TensorFlow 1: y = x * rate, with these placeholders as inputs of the signature."""
    import tensorflow as tf

    from tests.emulator.tiny_models import packed

    v1 = tf.compat.v1
    with v1.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], name="x")
        rate = v1.placeholder(tf.float32, [], name="rate") if more else v1.placeholder_with_default(1.0, [], "rate")
        y = tf.multiply(x, rate)
        given = {name: graph.get_tensor_by_name(f"{name}:0") for name in inputs}
        signature = v1.saved_model.predict_signature_def(given, {"y": y})
        builder = v1.saved_model.builder.SavedModelBuilder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"predict": signature})
        builder.save()
    return packed(folder)


def unfed(folder: Path) -> Path:
    return old(folder, ("x",), without_default=True)


def with_default(folder: Path) -> Path:
    return old(folder, ("x",))


OTHERS = (
    unfed,
    with_default,
    complex_input,
    complex_output,
    ragged_output,
    without_inputs,
    ragged_input,
    sparse_input,
    unsigned,
    dangling,
)
FAILING = {
    "undecided",
    "single_value",
    "complex_input",
    "complex_output",
    "ragged_output",
    "without_inputs",
    "unfed",
    "unsigned",
    "dangling",
}
NAMES = [
    "classifier",
    "two_inputs",
    "words",
    "flags",
    "lookup",
    "predict_images",
    "not_a_number",
    "exported",
    "fixed_rows",
    "by_chance",
    "undecided",
    "single_value",
    "endless",
    "reads_a_file",
    "complex_input",
    "complex_output",
    "ragged_output",
    "without_inputs",
    "ragged_input",
    "sparse_input",
    "unsigned",
    "dangling",
    "unfed",
    "with_default",
]


def errors(path: Path, target: LintTarget = TENSORFLOW) -> list[LintFinding]:
    return [finding for finding in lint(path, target) if finding.level is LintLevel.ERROR]


def same_words(found: list[LintFinding], failure: str) -> bool:
    """What TensorFlow and h5py themselves say is not known beforehand; everything else is, word for word."""
    told = [finding.refusal.message for finding in found]
    theirs = "TensorFlow cannot load the model."
    return failure in told or (failure.startswith(theirs) and any(each.startswith(theirs) for each in told))


@pytest.mark.parametrize("what", BROKEN)
def test_what_lint_calls_an_error_fails_to_deploy(rest, tmp_path, what):
    """With the words that lint foretold."""
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(BROKEN[what](packing.unpacked(packing.sample_path())))
    failure = rest.failure(archive)
    found = errors(archive)
    assert found, failure
    assert same_words(found, failure), (failure, found)


@pytest.mark.parametrize("name", NAMES)
def test_lint_and_the_deployment_agree_on_models(rest, tiny, name):
    """Every model of the embedded service's own tests, and those with what JSON does not carry."""
    found = errors(tiny[name])
    assert bool(found) is (name in FAILING), found
    if name in FAILING:
        failure = rest.failure(tiny[name])
        assert same_words(found, failure), (failure, found)
    else:
        rest.ready(tiny[name])


def test_lint_foretells_that_an_old_keras_file_is_code(rest, tmp_path):
    """A warning, as it is served where code may run; the service says the same, and how to allow it."""
    config = b'{"class_name": "Sequential", "config": [{"class_name": "Popen", "module": "subprocess"}]}'
    files = {"config.json": config, "metadata.json": b'{"keras_version": "2.15.0"}'}
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(tarred({"model.keras": zipped(files)}))
    (found,) = [finding for finding in lint(archive, TENSORFLOW) if finding.code == "python-code"]
    assert rest.failure(archive).startswith(f"{found.refusal.message} If you trust who made it, run: ")


def test_lint_and_the_deployment_agree_on_onnx(rest, tmp_path):
    """An output that JSON cannot carry, in the same words."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    kinds = {"x": onnx.TensorProto.FLOAT, "y": onnx.TensorProto.BFLOAT16}
    x, y = (onnx.helper.make_tensor_value_info(name, kind, ["n"]) for name, kind in kinds.items())
    nodes = [onnx.helper.make_node("Cast", ["x"], ["y"], to=kinds["y"])]
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [x], [y]), opset_imports=opset, ir_version=8)
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(tarred({"model.onnx": model.SerializeToString()}))
    target = LintTarget("pytorch-onnx_2.1", "runtime-24.1-py3.11")
    assert same_words(errors(archive, target), rest.failure(archive, "pytorch-onnx_2.1"))


KINDS = [
    "sample",
    "keras_export",
    "keras_saved",
    "tf_keras_trained",
    "two_equal_shapes",
    "loops_and_tables",
    "several_signatures",
    "old_style",
    "old_style_partitioned",
    "old_style_text",
    "no_variables",
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """A SavedModel of each kind that users have."""
    from tests.model import make_models

    folder = tmp_path_factory.mktemp("exported")
    for kind in KINDS:
        getattr(make_models, kind)(folder / kind)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_lint_and_the_deployment_agree_on_what_users_export(rest, exported, kind):
    """Lint reads the folder; the archive of it is deployed."""
    from tests.emulator.tiny_models import packed

    found = errors(exported / kind)
    archive = packed(exported / kind)
    assert [finding.code for finding in errors(archive)] == [finding.code for finding in found]
    if kind in ("several_signatures", "loops_and_tables"):
        assert same_words(found, rest.failure(archive))
    else:
        assert found == []
        rest.ready(archive)


@pytest.mark.parametrize(
    ("form", "pack"),
    [
        ("as it is", lambda files: tarred(files)),
        ("zip", lambda files: zipped(files)),
        ("tar", lambda files: tarred(files, "w")),
        ("with other files", lambda files: tarred({**files, "README.md": b"x", "__MACOSX/._a": b"x", "._b": b"y"})),
        ("with another below", lambda files: tarred({**files, **below(files, "1")})),
        ("without a fingerprint", lambda files: tarred(without(files, "fingerprint.pb"))),
    ],
)
def test_the_sample_is_fine_and_served_however_it_is_packed(rest, tmp_path, form, pack):
    """Warnings and notes at most."""
    archive = tmp_path / "model"
    archive.write_bytes(pack(packing.unpacked(packing.sample_path())))
    assert errors(archive) == []
    rest.ready(archive)
