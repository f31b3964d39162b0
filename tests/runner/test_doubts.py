"""What should make a reader doubt is shown in the summary."""

from __future__ import annotations

import pytest

from tests.emulator.tiny_models import saved

RECORD = ("--wml=embedded", "--wml-record")


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_a_model_that_answers_differently_each_time(pytester, tmp_path, workers):
    """Dropout was left on: two equal scorings differ, and the summary says so."""
    import tensorflow as tf

    def serve(images):
        return {"scores": tf.nn.dropout(tf.reshape(images, [-1, 4]) + tf.random.uniform([4]), 0.5)}

    archive = saved(tmp_path / "noisy", serve, tf.TensorSpec([None, 2, 2, 1], tf.float32, name="images"))
    pytester.makepyfile(
        """
        def test_twice(wml_deployment):
            for _ in range(2):
                wml_deployment.predict([[[[1.0], [2.0]], [[3.0], [4.0]]]])
        """
    )
    result = pytester.runpytest_inprocess("--wml=embedded", f"--wml-model={archive}", "-n", workers)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["doubt: *"])


def test_a_pickle_runs_only_when_it_is_allowed(pytester, tmp_path):
    """A scikit-learn model is refused with the option that lets it run, and scored with it."""
    pytest.importorskip("sklearn")
    pytester.makepyfile(
        """
        from sklearn.linear_model import LogisticRegression

        def test_it(wml_client):
            names = wml_client.repository.ModelMetaNames
            spec = wml_client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
            model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
            meta = {names.NAME: "m", names.TYPE: "scikit-learn_1.3", names.SOFTWARE_SPEC_UID: spec}
            stored = wml_client.repository.store_model(model=model, meta_props=meta)["metadata"]["id"]
            config = wml_client.deployments.ConfigurationMetaNames
            made = wml_client.deployments.create(stored, meta_props={config.NAME: "d", config.ONLINE: {}})
            answer = wml_client.deployments.score(made["metadata"]["id"], {"input_data": [{"values": [[0.0], [3.0]]}]})
            assert [row[0] for row in answer["predictions"][0]["values"]] == [0, 1]
        """
    )
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(failed=1)
    assert "run: pytest --wml=embedded --wml-allow-pickle" in result.stdout.str()
    pytester.runpytest_inprocess("--wml=embedded", "--wml-allow-pickle").assert_outcomes(passed=1)
