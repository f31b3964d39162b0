"""What `wml_model` can name: archives, folders, and models that are one file."""

from __future__ import annotations

import pickle

import pytest

RECORD = ("--wml=embedded", "--wml-record")
TESTS = """
    import numpy as np

    def test_classes(wml_deployment):
        answer = wml_deployment.predict(np.eye(3, dtype="float32"))
        assert answer.classes.tolist() == [0, 1, 2]
        assert wml_deployment.archive.kind in ("savedmodel", "keras", "other")
"""


@pytest.fixture(scope="session")
def network():
    """A softmax over three numbers."""
    import keras
    import numpy as np

    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax", name="scores")])
    network.set_weights([np.eye(3, dtype="float32") * 5, np.zeros(3, dtype="float32")])
    return network


@pytest.fixture(params=["model.h5", "model.keras", "exported"])
def keras_model(request, network, pytester):
    """The network as a file of either kind, or as an exported folder."""
    path = pytester.path / request.param
    if path.suffix:
        network.save(path)
    else:
        network.export(path, verbose=False)
    return path


def test_a_keras_model_in_any_form(pytester, keras_model):
    """A bare .h5 or .keras file is packed as WML takes it; a folder too. Recorded and replayed."""
    pytester.makepyfile(TESTS)
    pytester.runpytest_inprocess(*RECORD, f"--wml-model={keras_model}").assert_outcomes(passed=1)
    name = keras_model.name.partition(".")[0]
    assert (pytester.path / "cassettes" / f"{name}.yaml").exists()
    pytester.runpytest_inprocess(f"--wml-model={keras_model}").assert_outcomes(passed=1)


def test_a_pickled_model(pytester):
    """A pickled scikit-learn model, once its code may run; a retrained one fails in replay."""
    from sklearn.neighbors import KNeighborsClassifier

    def fitted(classes):
        return KNeighborsClassifier(1).fit([[1, 0, 0], [0, 1, 0], [0, 0, 1]], classes)

    path = pytester.path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted([0, 1, 2])))
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nwml_model = model.pkl\nwml_model_type = scikit-learn_1.3\nwml_allow_pickle = yes\n")
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    path.write_bytes(pickle.dumps(fitted([2, 1, 0])))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The model changed: cassette model was recorded with another one."])


def test_a_folder_outside_the_project_has_its_own_name(pytester, network, tmp_path):
    """`--wml-model=.` inside a model's folder is named after the folder."""
    pytester.makepyfile(TESTS)
    network.export(tmp_path / "champion", verbose=False)
    pytester.runpytest_inprocess(*RECORD, f"--wml-model={tmp_path / 'champion'}/.").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes" / "champion.yaml").exists()
