"""The trained network: kept, shared between processes, exported and packaged."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from pytest_wml.digits import load_digits
from pytest_wml.errors import BadArchive, BadPayload
from pytest_wml.model.archive import read_archive
from pytest_wml.model.cache import trained_cnn
from pytest_wml.model.cnn import TrainedCNN
from pytest_wml.model.local import LocalModel
from pytest_wml.model.recipe import Recipe
from tests.model.conftest import run_python

SHORT = Recipe(seed=3, examples=3_000)


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests of this file keep their network."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cnn(cache_dir: Path) -> TrainedCNN:
    """A network that was trained just now."""
    cnn = trained_cnn(SHORT, cache_dir, data="small")
    assert not cnn.from_cache
    return cnn


def entry_of(folder: Path) -> Path:
    (entry,) = (path for path in folder.iterdir() if path.is_dir())
    return entry


def test_a_network_is_trained_once(cnn: TrainedCNN, cache_dir: Path) -> None:
    """The second time it comes from the cache with the same weights and the same story, and nothing is said."""
    lines: list[str] = []
    again = trained_cnn(SHORT, cache_dir, data="small", progress=lines.append)
    assert again.from_cache
    assert lines == []
    assert all(np.array_equal(a, b) for a, b in zip(again.weights, cnn.weights, strict=True))
    assert (again.accuracy, again.device, again.trained_seconds, again.source) == (
        cnn.accuracy,
        cnn.device,
        cnn.trained_seconds,
        cnn.source,
    )


def test_another_recipe_is_another_entry(cnn: TrainedCNN, cache_dir: Path, tmp_path: Path) -> None:
    """A recipe that differs in anything is trained on its own."""
    other = trained_cnn(Recipe(seed=3, examples=128), tmp_path, data="small")
    assert not other.from_cache
    assert entry_of(tmp_path).name != entry_of(cache_dir).name


def test_the_cache_is_read_without_tensorflow(cnn: TrainedCNN, cache_dir: Path) -> None:
    """A kept network is at hand before Keras or TensorFlow is imported, nor what would fetch digits."""
    program = (
        "import sys; from pytest_wml.model.cache import trained_cnn; from pytest_wml.model.recipe import Recipe; "
        f"cnn = trained_cnn(Recipe(seed=3, examples=3000), {str(cache_dir)!r}, data='small'); "
        "heavy = {'tensorflow', 'keras', 'urllib.request', 'ssl'}; print(cnn.from_cache, heavy & set(sys.modules))"
    )
    assert run_python("-c", program).strip() == "True set()"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "content"), [("weights.npz", b"PK"), ("weights.npz", None), ("training.json", b"{}")])
def test_a_damaged_entry_is_trained_again(tmp_path: Path, name: str, content: bytes | None) -> None:
    """Whatever happened to a kept network, it is trained again and kept anew."""
    recipe = Recipe(examples=128)
    trained_cnn(recipe, tmp_path, data="small")
    path = entry_of(tmp_path) / name
    path.unlink() if content is None else path.write_bytes(content)
    assert not trained_cnn(recipe, tmp_path, data="small").from_cache
    assert trained_cnn(recipe, tmp_path, data="small").from_cache


@pytest.mark.slow
def test_an_interrupted_training_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while training leaves no entry, and the next one trains."""

    def interrupt(line: str) -> None:
        if line.startswith("step"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_cnn(Recipe(examples=1_280), tmp_path, data="small", progress=interrupt)
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".lock"])
    assert not trained_cnn(Recipe(examples=1_280), tmp_path, data="small").from_cache


def ask(folder: str, queue: multiprocessing.Queue[tuple[bool, list[str]]]) -> None:
    lines: list[str] = []
    cnn = trained_cnn(Recipe(examples=1_280), folder, data="small", progress=lines.append)
    queue.put((cnn.from_cache, lines))


@pytest.mark.slow
def test_of_two_processes_one_trains(tmp_path: Path) -> None:
    """Two workers that ask at once: one trains, the other takes what was kept."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[tuple[bool, list[str]]] = context.Queue()
    workers = [context.Process(target=ask, args=(str(tmp_path), queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    answers = sorted(queue.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    (trained_cached, trained_lines), (waited_cached, waited_lines) = answers
    assert (trained_cached, waited_cached) == (False, True)
    assert any(line.startswith("step") for line in trained_lines)
    assert waited_lines in ([], ["another process is training the sample network; waiting for it"])


def test_a_trained_network_predicts(cnn: TrainedCNN) -> None:
    """Images give probabilities that add up to one; one image is a batch of one; other shapes are refused."""
    digits = load_digits()
    probabilities = cnn.predict(digits.images)
    assert (probabilities.shape, probabilities.dtype) == ((100, 10), np.float32)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == digits.labels) > 0.6
    assert np.allclose(cnn.predict(digits[5]), cnn.predict(digits[5][None]))
    with pytest.raises(BadPayload, match=r"wanted: \[N, 784\]\n  given: \[1, 28, 28\]"):
        cnn.predict(digits[5].reshape(1, 28, 28))


def test_a_package_answers_as_the_network_does(cnn: TrainedCNN, tmp_path: Path) -> None:
    """The packaged archive, run by TensorFlow, gives the network's probabilities and their classes."""
    archive = cnn.package(tmp_path / "model.tar.gz")
    assert str(archive.signature) == (
        "serving_default(image: float32 [None, 784]) -> classes: int64 [None], probabilities: float32 [None, 10]"
    )
    assert archive.size < 1_000_000
    images = load_digits().images
    with LocalModel(archive.path) as model:
        answer = model.predict(images)
    assert np.allclose(answer["probabilities"], cnn.predict(images), atol=1e-5)
    assert answer["classes"].tolist() == answer["probabilities"].argmax(axis=1).tolist()
    assert answer["classes"].dtype == np.int64


def test_an_export_stores_every_weight_once(cnn: TrainedCNN, tmp_path: Path) -> None:
    """Two exports are one model, and the checkpoint is as large as the weights."""
    first, second = cnn.export(tmp_path / "first"), cnn.export(tmp_path / "second")
    assert read_archive(first).model_digest == read_archive(second).model_digest
    size = (first / "variables" / "variables.data-00000-of-00001").stat().st_size
    weights = sum(weight.nbytes for weight in cnn.weights)
    assert weights <= size < weights + 4_000


def test_an_export_spares_what_is_no_model(cnn: TrainedCNN, tmp_path: Path) -> None:
    """A SavedModel's folder is replaced; one with other files is left alone."""
    folder = cnn.export(tmp_path / "model")
    (folder / "old").touch()
    assert not (cnn.export(folder) / "old").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(BadArchive, match="holds something else than a SavedModel"):
        cnn.export(tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "other"]


def test_the_story_is_readable(cnn: TrainedCNN, cache_dir: Path) -> None:
    """training.json tells a person how the kept network came about."""
    about = json.loads((entry_of(cache_dir) / "training.json").read_text())
    assert about["accuracy"] == cnn.accuracy
    assert about["recipe"] == SHORT.as_json()
