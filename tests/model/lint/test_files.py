"""Models that are one file: lint's verdict is the deployment's, on a good one and on one that was cut short."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.model.lint.findings import LintFinding, LintLevel
from pytest_wml.model.lint.linter import lint
from pytest_wml.model.lint.specification import LintTarget
from tests.emulator.rest import Rest
from tests.model.lint.packing import tarred

pytestmark = pytest.mark.slow
joblib = pytest.importorskip("joblib")
keras = pytest.importorskip("keras")
skl2onnx = pytest.importorskip("skl2onnx")
xgboost = pytest.importorskip("xgboost")
np = pytest.importorskip("numpy")
sklearn = pytest.importorskip("sklearn.ensemble")

SPEC = "runtime-24.1-py3.11"
ROWS = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
LABELS = (ROWS[:, 0] > 0).astype(int)


def forest():
    return sklearn.RandomForestClassifier(20, random_state=0).fit(ROWS, LABELS)


def pickled(path: Path, protocol: int = pickle.HIGHEST_PROTOCOL) -> None:
    path.write_bytes(pickle.dumps(forest(), protocol))


def converted(path: Path) -> None:
    made = skl2onnx.to_onnx(forest(), ROWS[:1], target_opset=15)
    path.write_bytes(made.SerializeToString())


def boosted(path: Path) -> None:
    xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(ROWS, label=LABELS), 4).save_model(path)


def network(path: Path) -> None:
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(30), keras.layers.Dense(2)]).save(path)


# Name of the file, what writes it, the type it is stored as, and how the finding is named when it was cut short.
FILES = {
    "pickle": ("model.pkl", pickled, "scikit-learn_1.3", "pickle-file"),
    "pickle as text": ("model.pkl", lambda path: pickled(path, 0), "scikit-learn_1.3", "pickle-file"),
    "joblib": ("model.joblib", lambda path: joblib.dump(forest(), path), "scikit-learn_1.3", "pickle-file"),
    **{
        f"joblib, {how}": (
            "model.joblib",
            lambda path, how=how: joblib.dump(forest(), path, compress=(how, 3)),
            "scikit-learn_1.3",
            "pickle-file",
        )
        for how in ("zlib", "gzip", "bz2", "lzma", "xz")
    },
    "onnx": ("model.onnx", converted, "pytorch-onnx_2.1", "onnx-file"),
    "xgboost": ("model.json", boosted, "xgboost_2.0", "xgboost-file"),
    "h5": ("model.h5", network, "tensorflow_2.14", "keras-file"),
    "keras": ("model.keras", network, "tensorflow_2.14", "keras-file"),
}


# One of each way in which the service loads them, each of which takes a process of its own.
DEPLOYED = ("pickle", "joblib", "joblib, gzip", "onnx", "xgboost", "h5", "keras")


@pytest.fixture(scope="module")
def rest():
    with EmbeddedWML(allow_pickle=True) as app:
        yield Rest(app)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The bytes of each file, made once."""
    folder = tmp_path_factory.mktemp("files")
    made: dict[str, bytes] = {}

    def content(what: str) -> bytes:
        if what not in made:
            name, write, *_ = FILES[what]
            write(folder / name)
            made[what] = (folder / name).read_bytes()
        return made[what]

    return content


def errors(path: Path, model_type: str) -> list[LintFinding]:
    return [finding for finding in lint(path, LintTarget(model_type, SPEC)) if finding.level is LintLevel.ERROR]


def both(folder: Path, what: str, content: bytes) -> tuple[list[LintFinding], Path]:
    """The errors in a file, which are those of its archive; and the archive."""
    name, _, model_type, _ = FILES[what]
    (folder / name).write_bytes(content)
    archive = folder / "model.tar.gz"
    archive.write_bytes(tarred({name: content}))
    found = errors(folder / name, model_type)
    assert [each.code for each in errors(archive, model_type)] == [each.code for each in found]
    return found, archive


@pytest.mark.parametrize("what", FILES)
def test_a_good_file_has_no_error_and_is_served(rest, written, tmp_path, what):
    """As it is, and in an archive."""
    found, archive = both(tmp_path, what, written(what))
    assert found == []
    if what in DEPLOYED:
        rest.ready(archive, FILES[what][2])


@pytest.mark.parametrize("cut", ["half of it", "its end", "all of it"])
@pytest.mark.parametrize("what", FILES)
def test_a_file_that_was_cut_short_is_told_and_fails(rest, written, tmp_path, what, cut):
    """Wherever it ends; that it fails is seen of one whose end alone is missing: all the more does one with less."""
    content = written(what)
    # Not less: of gzip and zlib the last bytes are a sum that joblib does not check.
    left = {"half of it": len(content) // 2, "its end": len(content) - 20, "all of it": 0}[cut]
    found, archive = both(tmp_path, what, content[:left])
    assert [each.code for each in found] == [FILES[what][3]]
    if cut == "its end" and what in DEPLOYED:
        assert rest.failure(archive, FILES[what][2])


def test_a_packed_pickle_that_is_hardly_begun_is_told(written, tmp_path):
    """What it is packed with is that of an archive too."""
    path = tmp_path / "model.joblib"
    path.write_bytes(written("joblib, gzip")[:40])
    assert [each.code for each in errors(path, "scikit-learn_1.3")] == ["pickle-file"]


def test_a_hostile_pickle_is_not_run(tmp_path):
    """It is read, and what it would do is not done."""

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap()))
    assert errors(tmp_path / "model.pkl", "scikit-learn_1.3") == []
    assert not (tmp_path / "sprung").exists()
