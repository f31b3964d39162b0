"""Which kind of model a file, a folder or an archive is."""

from __future__ import annotations

import json
import pickle
import sys
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from pytest_wml.errors import BadArchive
from pytest_wml.model import kinds
from pytest_wml.model.archive import safe_extract
from pytest_wml.model.pickles import class_of
from pytest_wml.model.recognition import UnknownModel, recognise
from tests.model.conftest import run_python

SPARK = json.dumps({"class": "org.apache.spark.ml.PipelineModel", "sparkVersion": "3.4.1"}).encode()
PMML = b'<?xml version="1.0"?>\n<!-- trees -->\n<PMML version="4.2" xmlns="http://www.dmg.org/PMML-4_2"></PMML>'
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
MODELS = {
    "saved_model.pb": (b"", kinds.SAVED_MODEL, ""),
    "saved_model.pbtxt": (b"", kinds.SAVED_MODEL, ""),
    "model.h5": (b"\x89HDF\r\n\x1a\n", kinds.KERAS, ""),
    "model.keras": (b"PK", kinds.KERAS, ""),
    "MODEL.ONNX": (b"\x08\x07", kinds.ONNX, ""),
    "model.json": (b'{"learner": {"attributes": {}}}', kinds.XGBOOST, ""),
    "model.ubj": (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", kinds.XGBOOST, ""),
    "model.bst": (b"binf\x00\x00", kinds.XGBOOST, ""),
    "model.xml": (PMML, kinds.PMML, "4.2"),
    "model.pmml": (PMML, kinds.PMML, "4.2"),
    "metadata/part-00000": (SPARK, kinds.SPARK, "org.apache.spark.ml.PipelineModel"),
    "metadata/part-00000-7fa3-c000.txt": (SPARK, kinds.SPARK, "org.apache.spark.ml.PipelineModel"),
}


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            source = path.with_name("member")
            source.write_bytes(content)
            archive.add(source, f"./{name}")
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_recognised_in_every_form(name: str, tmp_path: Path) -> None:
    """In a .tar.gz, a .tar, a .zip, a folder, and alone where it is one file."""
    content, kind, detail = MODELS[name]
    packed = [tarred(tmp_path / "a.tar.gz", {name: content, "notes.txt": b"x"})]
    packed += [tarred(tmp_path / "b.tar", {name: content}, "w"), zipped(tmp_path / "c.zip", {name: content})]
    packed.append(safe_extract(packed[0], tmp_path / "folder"))
    if "/" not in name and not name.startswith("saved_model"):
        packed.append(tmp_path / name)
        packed[-1].write_bytes(content)
    for path in packed:
        found = recognise(path)
        assert (found.kind, found.detail) == (kind, detail), path
        assert found.where == name.partition("/")[0]


class Pipeline:
    """Stands in a pickle under another module's name."""


def pickled(module: str, protocol: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A pickle of a class of this module, which need not be installed; the object is in a mapping with other texts."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), type(sys)(".".join(parts[:length])))
    monkeypatch.setattr(Pipeline, "__module__", module)
    monkeypatch.setattr(sys.modules[module], "Pipeline", Pipeline, raising=False)
    return pickle.dumps(OrderedDict(text="sklearn", model=Pipeline()), protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("sklearn.pipeline", kinds.PICKLE),
        ("xgboost.sklearn", kinds.PICKLED_XGBOOST),
        ("lightgbm.sklearn", kinds.PICKLE),
        ("xgboosted", kinds.PICKLE),
    ],
)
def test_a_pickle_is_told_by_the_class_that_it_makes(module, kind, protocol, tmp_path, monkeypatch) -> None:
    """Of any protocol, without running it."""
    (tmp_path / "model.pkl").write_bytes(pickled(module, protocol, monkeypatch))
    found = recognise(tmp_path / "model.pkl")
    assert (found.kind, found.detail, found.damage) == (kind, f"{module}.Pipeline", "")


@pytest.mark.parametrize("compress", [0, *((how, 3) for how in ("zlib", "gzip", "bz2", "lzma", "xz"))])
def test_a_pickle_of_joblibs_is_told_by_its_class(compress, tmp_path: Path) -> None:
    """With the numbers of its arrays between the operations, and packed in any way."""
    joblib = pytest.importorskip("joblib")
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    joblib.dump(model, tmp_path / "model.joblib", compress=compress)
    assert recognise(tmp_path / "model.joblib").detail == "sklearn.linear_model._base.LinearRegression"


def test_what_a_pickle_would_run_is_not_run(tmp_path: Path) -> None:
    """A program in place of a model."""

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap()))
    assert recognise(tmp_path / "model.pkl").kind is kinds.PICKLE
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"", "it is empty"),
        (b"hello", "pickle exhausted before seeing STOP"),
        (b"\x80\x04\x95", "not enough data in stream"),
        (b"\xff\xfe", "at position 0, opcode b'\\xff' unknown"),
        (b"x\x9cnonsense", "it cannot be unpacked"),
        (b"\x80\x04\x8e" + b"\xff" * 8, ""),
        (b"\x80\x04N.", ""),
    ],
)
def test_a_damaged_pickle_is_still_a_pickle(content: bytes, damage: str, tmp_path: Path) -> None:
    """With what is wrong with it, as far as its start shows it."""
    (tmp_path / "model.pkl").write_bytes(content)
    found = recognise(tmp_path / "model.pkl")
    assert found.kind is kinds.PICKLE
    assert damage in found.damage


def test_a_class_behind_the_first_megabyte_is_not_looked_for() -> None:
    """Nor taken for damage, as what is looked at ends there."""
    assert class_of(pickle.dumps(b"x" * (2 << 20))[: 1 << 20]) == ""


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"model.h5": b"x", "tokenizer.pkl": b"\x80\x04N."}, kinds.KERAS),
        ({"model.onnx": b"x", "saved_model.pb": b""}, kinds.SAVED_MODEL),
        ({"model.pkl": b"\x80\x04N.", "metadata.json": b"{}", "notes.xml": b"<a/>"}, kinds.PICKLE),
        ({"model.pkl": b"\x80\x04N.", "._model.pkl": b"x"}, kinds.PICKLE),
        ({"model.onnx": b"x", "assets/part.pkl": b"\x80\x04N."}, kinds.ONNX),
    ],
)
def test_what_lies_beside_a_model_does_not_matter(files, kind, tmp_path: Path) -> None:
    """Such as what prepares the inputs of a network, or what macOS leaves."""
    assert recognise(tarred(tmp_path / "model.tar.gz", files)).kind is kind


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"notes.txt": b"x"}, "No saved_model.pb at the root of {path}, nor any other model that is recognised."),
        ({"a.pkl": b"\x80\x04N.", "b.onnx": b"x"}, "Several models lie at the root of {path}."),
        ({"1/saved_model.pb": b""}, "No saved_model.pb at the root of {path}."),
        ({"export/model.onnx": b"x"}, "The model lies in a folder, not at the root of {path}."),
        ({"s/metadata/part-00000-c000.txt": SPARK}, "The model lies in a folder, not at the root of {path}."),
        ({"metadata/part-00000": b"{}"}, "No saved_model.pb at the root of {path}, nor any other"),
        ({"metadata/part-00000": b"[" * 100_000}, "No saved_model.pb at the root of {path}, nor any other"),
    ],
)
def test_an_archive_without_one_model_is_refused_with_what_is_in_it(files, said, tmp_path: Path) -> None:
    """A model in a folder is found there."""
    path = tarred(tmp_path / "model.tar.gz", files)
    with pytest.raises(UnknownModel) as caught:
        recognise(path)
    assert caught.value.problem.startswith(said.format(path=path))
    assert next(iter(files)) in caught.value.facts["found"]
    nested = next(iter(files)).partition("/")[0] if "folder" in said or "saved" in str(files) else ""
    assert f"tar -C {nested} -czf" in caught.value.fix or not nested


BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><PMML version="&b;"/>'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.json", b'{"a": 1}', "is not an XGBoost model, as its name says"),
        ("model.xml", b"<html/>", "is not a PMML document, as its name says"),
        ("model.xml", b"\x00\x01", "is not a PMML document, as its name says"),
        ("model.xml", b'<?xml version="1.0" encoding="nothing"?><PMML/>', "is not a PMML document, as its name says"),
        ("model.bin", b"x", "is not a model that is recognised"),
        ("model.tar.gz", POINTER, "is a Git LFS pointer"),
        ("model.pkl", POINTER, "is a Git LFS pointer"),
        ("gone.pkl", None, "cannot be opened"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name, content, said, tmp_path: Path) -> None:
    """Also one that was never fetched."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadArchive, match=said):
        recognise(tmp_path / name)


def test_entities_of_a_hostile_document_are_not_expanded_without_end(tmp_path: Path) -> None:
    """Only the first tag is looked at."""
    (tmp_path / "model.xml").write_bytes(BOMB)
    assert len(recognise(tmp_path / "model.xml").detail) < 100


def test_no_framework_is_loaded(tmp_path: Path) -> None:
    """Nor the embedded service: a replay recognises its model too."""
    path = tarred(tmp_path / "model.tar.gz", {"model.pkl": b"\x80\x04N."})
    code = (
        "import sys; from pathlib import Path; from pytest_wml.model.storing import completed; "
        "completed(Path(sys.argv[1]), '', ''); "
        "print({'tensorflow', 'numpy', 'sklearn', 'onnx', 'werkzeug', 'pytest_wml.emulator'} & set(sys.modules))"
    )
    assert run_python("-c", code, str(path)).strip() == "set()"
