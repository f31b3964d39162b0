"""How a model is packed for `store_model`, and what it is stored as."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_wml.errors import BadArchive, BadOption
from pytest_wml.model.archive import ModelArchive, safe_extract
from pytest_wml.model.recognition import UnknownModel
from pytest_wml.model.storing import completed, packed
from tests.model.test_recognition import PMML, SPARK, tarred

PICKLE = b"\x80\x04N."


@pytest.fixture
def pack(tmp_path: Path):
    """Pack a model, with a folder for what has to be written."""

    def packed_here(path: Path) -> ModelArchive:
        (tmp_path / "temporary").mkdir(exist_ok=True)
        return packed(path, "named", lambda: tmp_path / "temporary")

    return packed_here


@pytest.mark.parametrize("name", ["model.pkl", "model.onnx", "model.json", "model.ubj", "model.h5", "model.keras"])
def test_a_model_file_is_packed_alone(pack, name: str, tmp_path: Path) -> None:
    """At the root of a .tar.gz, under its own name."""
    (tmp_path / name).write_bytes(PICKLE)
    archive = pack(tmp_path / name)
    assert archive.path.name == f"{name}.tar.gz"
    assert archive.members == (name,)


def test_the_digests_of_what_could_be_stored_before_are_the_same(pack, tmp_path: Path) -> None:
    """Recordings are bound to them."""
    (tmp_path / "model.pkl").write_bytes(PICKLE)
    archive = pack(tmp_path / "model.pkl")
    assert archive.archive_digest == archive.model_digest
    assert archive.archive_digest == "0db9210b5ac2ad5bde84ea1bb35b019bbd13bba8a972079768860facc5b4d022"


def test_a_folder_of_sparks_is_packed_with_all_its_files(pack, tmp_path: Path) -> None:
    """Also the hidden sums that Spark checks, its folders at the root."""
    files = {"metadata/part-00000": SPARK, "metadata/.part-00000.crc": b"crc", "stages/0_a/metadata/part-00000": SPARK}
    folder = safe_extract(tarred(tmp_path / "spark.tar.gz", files), tmp_path / "spark")
    archive = pack(folder)
    assert archive.path.name == "named.tar.gz"
    assert set(archive.members) == set(files)


@pytest.mark.parametrize("name", ["model.tar.gz", "model.tgz", "model.tar"])
def test_an_archive_is_stored_as_it_is(pack, name: str, tmp_path: Path) -> None:
    """Whatever model is in it."""
    path = tarred(tmp_path / name, {"model.onnx": b"x"}, "w" if name.endswith(".tar") else "w:gz")
    assert pack(path).path == path


@pytest.mark.parametrize("name", ["iris.xml", "iris.pmml"])
def test_a_pmml_document_is_stored_as_it_is_named_xml(pack, name: str, tmp_path: Path) -> None:
    """IBM's clients refuse .pmml, and send what is in an .xml file."""
    (tmp_path / name).write_bytes(PMML)
    archive = pack(tmp_path / name)
    assert archive.path.name == "iris.xml"
    assert archive.path.read_bytes() == PMML
    assert archive.members == ()


def test_weights_beside_an_onnx_model_are_packed_with_it(pack, tmp_path: Path) -> None:
    """Under the names by which the model knows them; one that is missing is named."""
    onnx = pytest.importorskip("onnx")
    weights = onnx.numpy_helper.from_array(onnx.numpy_helper.np.zeros((2, 300), "float32"), "w")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    values = [onnx.helper.make_tensor_value_info(name, 1, ["n", size]) for name, size in (("x", 2), ("y", 300))]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:], [weights])
    path = tmp_path / "model.onnx"
    onnx.save(onnx.helper.make_model(graph), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert pack(path).members == ("model.onnx", "w.bin")
    (tmp_path / "w.bin").unlink()
    with pytest.raises(BadArchive, match=r"weights of the ONNX model is missing(.|\n)*w\.bin"):
        pack(path)


@pytest.mark.parametrize(
    ("model_type", "said"),
    [
        ("tensorflow_2.14", "model.onnx is an ONNX model, and the type tensorflow_2.14 is for models of another kind."),
        ("scikit-learn_1.3", "the type scikit-learn_1.3 is for models of another kind"),
        ("mllib_3.4", "the type mllib_3.4 is for models of another kind"),
    ],
)
def test_a_type_of_another_kind_of_model_is_refused(model_type: str, said: str, tmp_path: Path) -> None:
    """With the type that would do."""
    path = tarred(tmp_path / "model.tar.gz", {"model.onnx": b"x"})
    with pytest.raises(BadOption, match=said) as caught:
        completed(path, model_type, "")
    assert "onnxruntime_1.17" in caught.value.fix


@pytest.mark.parametrize("model_type", ["onnxruntime_1.16", "pytorch-onnx_2.1", "wml-hybrid_0.1", "onnx"])
def test_a_type_that_can_be_right_wins(model_type: str, tmp_path: Path) -> None:
    """Also one that nobody here knows: the service says whether it does."""
    path = tarred(tmp_path / "model.tar.gz", {"model.onnx": b"x"})
    assert completed(path, model_type, "").model_type == model_type


def test_a_model_that_is_not_recognised_is_stored_as_what_it_is_said_to_be(pack, tmp_path: Path) -> None:
    """But as a network only where there is one."""
    path = tarred(tmp_path / "stream.zip", {"a.str": b"x"})
    assert completed(path, "spss-modeler_18.2", "spss-modeler_18.2").model_type == "spss-modeler_18.2"
    assert pack(path).path == path
    for model_type in ("", "tensorflow_2.14"):
        with pytest.raises(UnknownModel, match=r"No saved_model\.pb at the root of"):
            completed(path, model_type, "")


def test_a_damaged_model_without_a_type_is_refused(tmp_path: Path) -> None:
    """With what is wrong with which file."""
    (tmp_path / "model.pkl").write_bytes(b"")
    with pytest.raises(BadArchive, match=r"The model is damaged\.(.|\n)*model\.pkl(.|\n)*it is empty"):
        completed(tmp_path / "model.pkl", "", "")
