"""What is left of a model's training is told as TensorFlow then behaves; of a sound model nothing is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_wml.model.lint.findings import LintFinding, LintLevel
from pytest_wml.model.lint.linter import lint
from tests.model.lint.packing import TENSORFLOW

pytestmark = pytest.mark.slow
tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf_keras")

CODES = {"by-chance", "batch-norm-in-training", "changes-itself", "calls-python"}
# What is warned of each model.
WARNED: dict[str, set[str]] = {
    "sound": set(),
    "sound_saved": set(),
    "sound_tf_keras": set(),
    "sound_tf_keras_saved": set(),
    "sound_images": set(),
    "sound_recurrent": set(),
    "sound_normalised": set(),
    "sound_hashed": set(),
    "trained": set(),
    "trained_keras": set(),
    "trained_export": set(),
    "perhaps": set(),
    "dropout": {"by-chance", "changes-itself"},
    "dropout_tf_keras": {"by-chance"},
    "noise": {"by-chance", "changes-itself"},
    "augmented": {"by-chance", "changes-itself"},
    "exported_augmented": {"by-chance", "changes-itself"},
    "uniform": {"by-chance"},
    "normal": {"by-chance"},
    "shuffled": {"by-chance"},
    "drawn": {"by-chance"},
    "generated": {"by-chance", "changes-itself"},
    "batch_norm": {"batch-norm-in-training"},
    "batch_norm_tf_keras": {"batch-norm-in-training"},
    "batch_norm_images": {"batch-norm-in-training"},
    "batch_norm_tf_keras_images": {"batch-norm-in-training"},
    "assigned": {"changes-itself"},
    "written_rows": {"changes-itself"},
    "python": {"calls-python"},
    "numpy_function": {"calls-python"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model by its name, each written once."""
    from tests.model.lint import trained_models

    folder = tmp_path_factory.mktemp("models")

    @cache
    def written(name: str) -> Path:
        getattr(trained_models, name)(folder / name)
        return folder / name

    return written


def found_in(folder: Path) -> dict[str, LintFinding]:
    return {finding.code: finding for finding in lint(folder, TENSORFLOW)}


def scored(folder: Path) -> tuple[Any, Any, Any]:
    """A batch, the same one again, and its first row alone."""
    function = tf.saved_model.load(str(folder)).signatures["serving_default"]
    [(name, spec)] = function.structured_input_signature[1].items()
    batch = np.random.default_rng(1).uniform(0.1, 0.9, size=(16, *spec.shape[1:])).astype(np.float32)
    answers = [function(**{name: tf.constant(rows)}) for rows in (batch, batch, batch[:1])]
    return tuple(next(iter(answer.values())).numpy() for answer in answers)


@pytest.mark.parametrize("name", WARNED)
def test_what_is_left_of_a_training_is_a_warning(model, name):
    """Of the operations that are in the file."""
    found = found_in(model(name))
    assert {code for code in CODES & set(found) if found[code].level is not LintLevel.INFO} == WARNED[name]
    assert all(finding.level is not LintLevel.ERROR for finding in found.values())


@pytest.mark.parametrize("name", [name for name, codes in WARNED.items() if not codes])
def test_a_sound_model_answers_alike(model, name):
    """Twice the same, and for a row alone what it is answered among others."""
    first, again, alone = scored(model(name))
    assert np.array_equal(first, again)
    assert np.allclose(first[:1], alone, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, codes in WARNED.items() if "by-chance" in codes])
def test_what_is_told_to_be_by_chance_is(model, name):
    """The same scoring, another answer."""
    first, again, _ = scored(model(name))
    assert not np.array_equal(first, again)


@pytest.mark.parametrize("name", [name for name, codes in WARNED.items() if "batch-norm-in-training" in codes])
def test_a_batch_normalisation_in_training_mixes_rows(model, name):
    """What a row is answered depends on those beside it."""
    first, _, alone = scored(model(name))
    assert not np.allclose(first[:1], alone, atol=1e-3)


def test_a_branch_is_told_and_no_warning(model):
    """Nobody knows whether it is taken."""
    assert found_in(model("perhaps"))["by-chance"].level is LintLevel.INFO


def test_weights_that_are_stored_twice_are_counted(model):
    """Keras's model.export() writes each twice; 10 MB and more are a warning."""
    told = found_in(model("trained_export"))["weights-twice"]
    assert (told.level, told.found) == (
        LintLevel.INFO,
        "18,432 of 41,512 bytes of weights are stored twice, in 2 tensors.",
    )
    assert found_in(model("wide"))["weights-twice"].level is LintLevel.WARN
    assert "weights-twice" not in found_in(model("sound_saved"))


@pytest.mark.parametrize("name", ["trained", "trained_keras"])
def test_what_only_the_optimizer_needs_is_counted(model, name):
    """Its slots, of every weight one or two."""
    told = found_in(model(name))["optimizer-state"]
    assert "bytes in" in told.found
    assert "only training reads" in told.found


@pytest.mark.parametrize("name", ["sound", "sound_tf_keras_saved", "trained_export"])
def test_a_model_without_its_optimizer_has_none(model, name):
    """An export leaves it out, and one that was never compiled has none."""
    assert "optimizer-state" not in found_in(model(name))
