"""Replay: the default, without network, credentials and TensorFlow, and only for the recorded model."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests.ibm import PACKAGES, needs_older


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_recorded_deployment_is_replayed(pytester, recorded_project, workers):
    """The recorded tests pass without any option, and the summary says what answered."""
    before = recorded_project.cassette.read_bytes()
    result = pytester.runpytest_inprocess("-n", workers)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*live calls: 0*", "tiny.yaml: * answers, recorded 20* (*) from embedded, model *"])
    assert recorded_project.cassette.read_bytes() == before


def test_replay_imports_no_tensorflow(pytester, recorded_project):
    """A replaying CI job needs neither TensorFlow nor vcrpy nor werkzeug."""
    pytester.makeconftest(
        """
        import sys

        def pytest_sessionfinish():
            print("loaded:", sorted({"tensorflow", "keras", "vcr", "werkzeug"} & set(sys.modules)))
        """
    )
    result = pytester.runpytest_subprocess("-s", "-p", "no:recording")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*loaded: []*"])


@pytest.mark.parametrize("mode", [[], pytest.param(["--wml=embedded", "--wml-record"], marks=pytest.mark.slow)])
def test_no_vcrpy(pytester, recorded_project, monkeypatch, mode):
    """Recordings have vcrpy's format; reading and writing them works where vcrpy cannot be imported."""
    pytester.makepyfile(without_vcrpy="import sys\nsys.modules['vcr'] = None")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=os.pathsep)
    result = pytester.runpytest_subprocess("-p", "without_vcrpy", "-p", "no:recording", *mode)
    result.assert_outcomes(passed=6)


def test_a_changed_model_fails(pytester, recorded_project, archives):
    """Another weight in the archive: every test of the deployment fails, and is told the two ways on."""
    recorded_project.replace_model(archives["other"])
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines(
        [
            "The model changed: cassette tiny was recorded with another one.",
            "  recorded: ????????????????*",
            "  now: ????????????????*",
            "  recorded at: 20*, from embedded",
            "  what to do: check the new model against the embedded service: pytest --wml=embedded",
            "    and, when its answers are right, record them: pytest --wml=embedded --wml-record",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_same_weights_exported_again_replay(pytester, recorded_project, archives):
    """A team that rebuilds its archive on every commit replays, as long as the weights are the same."""
    recorded_project.replace_model(archives["again"])
    assert archives["again"].read_bytes() != archives["first"].read_bytes()
    pytester.runpytest_inprocess().assert_outcomes(passed=6)


@needs_older
def test_a_changed_model_is_noticed_without_our_fixtures(pytester, recorded_project, archives):
    """A suite that stores and deploys by itself fails on its upload, by both digests."""
    pytester.makepyfile(
        test_model="""
        import numpy as np
        import pytest
        from ibm_watson_machine_learning import APIClient

        @pytest.fixture(scope="session")
        def mine():
            client = APIClient({"url": "https://eu-de.ml.cloud.ibm.com", "apikey": "some-api-key"})
            client.set.default_space("5ace0000-0000-4000-8000-000000000000")
            names = client.repository.ModelMetaNames
            spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
            meta = {names.NAME: "m", names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
            model = client.repository.store_model(model="model.tar.gz", meta_props=meta)["metadata"]["id"]
            made = client.deployments.create(model, meta_props={client.deployments.ConfigurationMetaNames.ONLINE: {},
                client.deployments.ConfigurationMetaNames.NAME: "d"})
            yield client, made["metadata"]["id"]

        def test_it(mine):
            client, deployment = mine
            rows = np.eye(4).reshape(4, 2, 2, 1).tolist()
            answer = client.deployments.score(deployment, {"input_data": [{"values": rows}]})
            assert answer["predictions"][0]["values"] == [0, 1, 2, 3]
        """
    )
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=1)
    assert (recorded_project.folder / "cassettes" / "mine.yaml").exists()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    recorded_project.replace_model(archives["other"])
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The model changed: cassette mine was recorded with another one."])


def test_a_changed_payload_shows_where_it_parts(pytester, recorded_project):
    """One pixel differs from every recorded image: its JSON path is shown, with both values."""
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_a_new_image(wml_deployment):
            image = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)[:1]
            image[0, 1, 0, 0] = 0.5
            wml_deployment.predict(image)
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "No recording answers this request.",
            "  request: POST /ml/v4/deployments/*/predictions",
            "  they part at: body $.input_data.0.values.0.1.0.0: asked 0.5, recorded 0.0",
            "  what to do: record it: *--wml-record*",
            "  at: test_model.py:6",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_rows_that_are_recorded_in_another_batch_are_named(pytester, recorded_project):
    """Two of four images that were recorded together are asked for: the batch is named, and what to do."""
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_two(wml_deployment):
            wml_deployment.predict(np.eye(4, dtype="float32").reshape(4, 2, 2, 1)[1:3])
        """
    )
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(
        [
            "  nearest: POST /ml/v4/deployments/*/predictions with [[][[][[][[]0.0*",
            "  but: these rows are recorded in a batch of 4: *",
            "  what to do: score the same rows together, as in the recording; or",
        ]
    )


def test_another_client_is_told(pytester, recorded_project, monkeypatch):
    """Another of IBM's clients, or another version, asks for other things: a miss says what recorded."""
    for path in (recorded_project.folder / "cassettes").glob("*.yaml"):
        path.write_text(re.sub(r'"client": "[^"]*"', '"client": "ibm-watsonx-ai 1.1.2"', path.read_text()))
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_new(wml_deployment):
            wml_deployment.predict(np.full((1, 2, 2, 1), 0.25, "float32"))
        """
    )
    told = f"  client: ibm-watsonx-ai 1.1.2 in the recording, {PACKAGES[0].replace('_', '-')} 1.* here"
    for name in PACKAGES[1:]:  # another test may have loaded it
        monkeypatch.delitem(sys.modules, name, raising=False)
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["No recording answers this request.", told])


def test_a_miss_beside_a_stub_of_the_client(pytester):
    """A suite that puts a module of its own in the client's place hears of the miss as any other does."""
    pytester.makepyfile(
        """
        import sys
        import types

        import requests

        sys.modules["ibm_watson_machine_learning"] = types.ModuleType("ibm_watson_machine_learning")

        def test_asks():
            assert requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/models").status_code == 422
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["No recording answers this request."])
    result.stdout.no_fnmatch_line("*defect of pytest-wml*")


def test_a_swallowed_miss_fails_the_test(pytester, recorded_project):
    """Whoever catches the error of an unanswered request fails all the same."""
    pytester.makepyfile(
        test_model="""
        import requests

        def test_swallowing(wml_deployment):
            try:
                requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/unheard_of", timeout=5).raise_for_status()
            except Exception:
                pass

        def test_innocent(wml_deployment):
            pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*GET /ml/v4/unheard_of*", "FAILED test_model.py::test_swallowing*"])


def test_a_swallowed_miss_in_a_fixture_fails_all_its_tests(pytester, recorded_project):
    """A session fixture that went on without its answer must not pass for its second test."""
    pytester.makepyfile(
        test_model="""
        import pytest, requests

        @pytest.fixture(scope="session")
        def careless():
            try:
                requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/unheard_of", timeout=5).raise_for_status()
            except Exception:
                return None

        def test_one(careless): pass
        def test_two(careless): pass
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(errors=2)


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_a_miss_at_import_fails_the_run(pytester, recorded_project, workers):
    """A request that a test module makes while it is imported is answered by no recording: an error."""
    pytester.makepyfile(
        test_model="""
        import requests
        requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/unheard_of", timeout=5)
        def test_one(): pass
        """
    )
    result = pytester.runpytest_inprocess("-n", workers)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*No recording answers this request.*"])


def test_a_miss_in_a_conftest_fails_the_run(pytester, recorded_project):
    """What a conftest asks while it is imported goes through the door too."""
    pytester.makeconftest(
        """
        import requests
        assert requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/unheard_of", timeout=5).status_code == 422
        """
    )
    result = pytester.runpytest_inprocess()
    assert result.ret not in (0, 5)
    result.stdout.fnmatch_lines(["No recording answers this request.", "*GET /ml/v4/unheard_of (without a token)"])
