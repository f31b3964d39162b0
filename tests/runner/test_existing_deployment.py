"""`wml_deployment` (the option): a deployment that exists already is only scored."""

from __future__ import annotations

import shutil
from textwrap import dedent

import pytest

from pytest_wml.client import existing
from pytest_wml.replay.cassette.file import load

RECORD = ("--wml=embedded", "--wml-record")
CONFTEST = """
    import pytest

    from pytest_wml import open_door
    from pytest_wml.client.safe_client import safe_client
    from pytest_wml.config.credentials import OFFLINE
    from pytest_wml.model.archive import read_archive
    from pytest_wml.runner.activation import RUN

    @pytest.fixture(scope="session")
    def theirs(pytestconfig):
        # Another team's work, done before this run: straight at the embedded service, past the run's own door.
        run = pytestconfig.stash[RUN]
        if run.configuration.mode.value == "replay":
            return
        run.app._start()
        with open_door(run.app._embedded), safe_client(OFFLINE) as client:
            names, settings = client.repository.ModelMetaNames, client.deployments.ConfigurationMetaNames
            spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
            meta = {names.NAME: "theirs", names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec, **LABEL}
            model = client.repository.store_model(model="theirs.tar.gz", meta_props=meta)["metadata"]["id"]
            made = {settings.NAME: "theirs", settings.ONLINE: {"parameters": {"serving_name": "theirs"}}}
            client.deployments.create(model, meta_props=made)

    @pytest.fixture(scope="session")
    def wml_client(theirs, wml_client):
        return wml_client

    def pytest_sessionfinish(session):
        seen = {f"{each.method} {each.path}" for each in session.config.stash[RUN].request_log.exchanges}
        print("\\nasked:", *sorted(seen), sep="|")

"""
LABEL = "LABEL = {}\n"
THEIR_DIGEST = """
ARCHIVE = read_archive("theirs.tar.gz")
LABEL = {"custom": {
    "wml_model_digest": "model:" + ARCHIVE.model_digest, "wml_model_signature": str(ARCHIVE.signature)
}}
"""
TESTS = """
    import numpy as np

    def test_classes(wml_deployment):
        answer = wml_deployment.predict(np.eye(4, dtype="float32").reshape(4, 4))
        assert answer.classes.tolist() == [0, 1, 2, 3]
        assert "reshaped" in answer.reshaped
"""


@pytest.fixture
def theirs(pytester, archives):
    """A project without a model of its own, and a deployment of another team's with the serving name `theirs`."""
    shutil.copy(archives["first"], pytester.path / "theirs.tar.gz")
    pytester.makepyfile(test_theirs=TESTS)
    pytester.makeini("[pytest]\nwml_deployment = theirs\nwml_name = prod\n")
    pytester.makeconftest(dedent(CONFTEST) + LABEL)
    return pytester


def test_nothing_is_created_changed_or_deleted(theirs):
    """The service sees reading and scoring only; the digest and the signature are those of the downloaded model."""
    result = theirs.runpytest_inprocess("--wml=embedded", "-s")
    result.assert_outcomes(passed=1)
    asked = next(line for line in result.stdout.lines if line.startswith("asked:")).split("|")[1:]
    changing = {one.rpartition("/")[2] for one in asked if not one.startswith("GET")}
    assert changing == {"predictions", "token"}
    result.stdout.fnmatch_lines(["prod: a deployment that existed already, model * (by its download)"])


def test_its_recording_replays_without_any_model_here(theirs):
    """The recording is bound to the deployed model; neither archive nor download is needed to replay it."""
    theirs.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    recorded = load(theirs.path / "cassettes" / "prod.yaml").model
    assert recorded.basis == "model"
    assert [path.name for path in (theirs.path / "cassettes").iterdir()] == ["prod.yaml"]
    (theirs.path / "theirs.tar.gz").unlink()
    result = theirs.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"prod: a deployment that existed already, model {recorded.model[:16]} (by the rec*"])
    result.stdout.no_fnmatch_line("*no test sends*")


@pytest.mark.slow
def test_a_stored_property_spares_the_download(theirs):
    """Whoever deploys through the fixture leaves the digest with the model."""
    theirs.makeconftest(dedent(CONFTEST) + THEIR_DIGEST)
    result = theirs.runpytest_inprocess(*RECORD, "-s")
    result.assert_outcomes(passed=1)
    assert "/download" not in result.stdout.str()
    result.stdout.fnmatch_lines(["prod: *, model * (by the property wml_model_digest of the stored model)"])
    theirs.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_model_here_that_is_another_one_is_told(theirs, archives):
    """What is deployed elsewhere is not decided here: the report says so, and nothing fails."""
    shutil.copy(archives["other"], theirs.path / "mine.tar.gz")
    theirs.makeini("[pytest]\nwml_deployment = theirs\nwml_name = prod\nwml_model = mine.tar.gz\n")
    result = theirs.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["prod: *; ini wml_model names another model, *"])


def test_a_model_that_cannot_be_read_is_unknown(theirs, monkeypatch):
    """The deployment is scored all the same, and the report says that nobody knows which model answered."""
    monkeypatch.setattr(existing, "LARGEST", 100)
    theirs.makepyfile(
        test_theirs="""
        def test_classes(wml_deployment):
            rows = [[[[1.0], [0.0]], [[0.0], [0.0]]]]
            assert wml_deployment.predict(rows).classes.tolist() == [0]
        """
    )
    result = theirs.runpytest_inprocess(*RECORD)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["prod: a deployment that existed already, model unknown: the model is larger than 100 bytes"]
    )
    assert load(theirs.path / "cassettes" / "prod.yaml").model is None
    result = theirs.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["prod: *model unknown: *"])


def test_one_of_several_may_exist_already(theirs, archives):
    """In wml_deployments by `deployment=`, beside a model that is stored for the run."""
    shutil.copy(archives["other"], theirs.path / "mine.tar.gz")
    theirs.makeini("[pytest]\nwml_deployments =\n    mine = mine.tar.gz\n    prod = deployment=theirs\n")
    result = theirs.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["prod: a deployment that existed already, model * (by its download)"])


@pytest.mark.parametrize("wanted", ["nobody", "9e5b1d26-0000-4000-8000-000000000000"])
def test_one_that_does_not_exist_is_one_message(theirs, wanted):
    """By serving name and by id."""
    result = theirs.runpytest_inprocess("--wml=embedded", f"--wml-deployment={wanted}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"The space has no deployment with the id or serving name '{wanted}'."])
