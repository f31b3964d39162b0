"""`wml_deployments`: several models in one suite, each test run once for each of them."""

from __future__ import annotations

import pickle
import shutil

import pytest

from pytest_wml.replay.cassette.file import load

RECORD = ("--wml=embedded", "--wml-record")
INI = """
    [pytest]
    wml_allow_pickle = yes
    wml_deployments =
        # the champion and a model of another kind
        pixels = model.tar.gz
        fruit = fruit.pkl type=scikit-learn_1.3 spec=runtime-24.1-py3.11
"""
TESTS = """
    import numpy as np
    import pytest

    IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)

    def test_ready(wml_client, wml_deployment, wml_name):
        details = wml_client.deployments.get_details(wml_deployment.id)
        assert details["entity"]["name"] == wml_deployment.name == wml_name

    @pytest.mark.wml(deployment="pixels")
    def test_pixels(wml_deployment):
        assert wml_deployment.predict(IMAGES).classes.tolist() == [0, 1, 2, 3]

    @pytest.mark.wml(deployment="fruit")
    def test_fruit(wml_deployment):
        assert wml_deployment.predict([[0, 1], [1, 0]]).classes.tolist() == ["pear", "apple"]

    def test_nothing_of_wml(): pass
"""
LEDGER = """
    from pytest_wml.runner.activation import RUN

    def pytest_sessionfinish(session):
        exchanges = session.config.stash[RUN].request_log.exchanges
        made = [each for each in exchanges if each.method == "POST" and each.path == "/ml/v4/deployments"]
        gone = [each for each in exchanges if each.method == "DELETE" and "/deployments/" in each.path]
        print(f"\\n{len(made)} deployed, {len(gone)} deleted")
"""


def fruit(path, names=("apple", "pear")):
    from sklearn.neighbors import KNeighborsClassifier

    path.write_bytes(pickle.dumps(KNeighborsClassifier(1).fit([[1, 0], [0, 1]], list(names))))


@pytest.fixture
def suite(pytester, archives):
    """A project with a SavedModel and a scikit-learn model."""
    shutil.copy(archives["first"], pytester.path / "model.tar.gz")
    fruit(pytester.path / "fruit.pkl")
    pytester.makeini(INI)
    pytester.makepyfile(test_models=TESTS)
    pytester.makeconftest(LEDGER)
    return pytester


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Folder with the cassettes of `suite`; made when first needed."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def recorded_suite(suite, kept):
    """The project with a cassette for each model."""
    if not list(kept.iterdir()):
        result = suite.runpytest_inprocess(*RECORD)
        result.assert_outcomes(passed=5)
        result.stdout.fnmatch_lines(["2 deployed, 2 deleted"])
        shutil.copytree(suite.path / "cassettes", kept, dirs_exist_ok=True)
    shutil.copytree(kept, suite.path / "cassettes", dirs_exist_ok=True)
    return suite


def test_each_test_runs_for_each_model(recorded_suite):
    """Ids are the names; a marker chooses one; each model is stored once and has a recording of its own."""
    result = recorded_suite.runpytest_inprocess("-v")
    result.assert_outcomes(passed=5)
    for test in ("test_ready[pixels]", "test_ready[fruit]", "test_pixels[pixels]", "test_fruit[fruit]"):
        result.stdout.fnmatch_lines([f"test_models.py::{test.replace('[', '[[]')} PASSED*"])
    result.stdout.fnmatch_lines(["2 deployed, 2 deleted"])
    assert sorted(path.name for path in (recorded_suite.path / "cassettes").iterdir()) == ["fruit.yaml", "pixels.yaml"]
    bound = [load(recorded_suite.path / "cassettes" / f"{name}.yaml").model for name in ("fruit", "pixels")]
    assert [model.basis for model in bound] == ["archive", "model"]


def test_one_model_that_changed_fails_its_own_tests_only(recorded_suite):
    """Each recording is bound to its own model."""
    fruit(recorded_suite.path / "fruit.pkl", ("pear", "apple"))
    result = recorded_suite.runpytest_inprocess()
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(["The model changed: cassette fruit was recorded with another one."])


def test_a_failing_test_of_one_model_keeps_no_other_from_being_recorded(suite):
    """The cassette of the model whose tests passed is written."""
    fruit(suite.path / "fruit.pkl", ("pear", "apple"))
    result = suite.runpytest_inprocess(*RECORD)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["fruit.yaml: not written: *", "pixels.yaml: written, *"])


def test_k_chooses_a_model(recorded_suite):
    """Only the chosen model is stored."""
    result = recorded_suite.runpytest_inprocess("-k", "fruit")
    result.assert_outcomes(passed=2, deselected=3)
    result.stdout.fnmatch_lines(["1 deployed, 1 deleted"])


@pytest.mark.slow
def test_workers_share_the_tests_of_several_models(recorded_suite):
    """A worker gets the models in whatever order: each is stored once a worker, also where they alternate."""
    (recorded_suite.path / "test_second.py").write_text((recorded_suite.path / "test_models.py").read_text())
    recorded_suite.makeconftest(
        LEDGER.replace(
            "print(f", "out = getattr(session.config, 'workerinput', {}).get('workerid'); out and print(f"
        ).replace('deleted")', 'deleted", file=open(out + ".txt", "w"))')
    )
    for how in (["--dist=loadfile"], ["--dist=load", *RECORD]):
        recorded_suite.runpytest_inprocess("-n", "2", *how).assert_outcomes(passed=10)
        told = [path.read_text().strip() for path in recorded_suite.path.glob("gw*.txt")]
        assert told
        assert set(told) <= {"1 deployed, 1 deleted", "2 deployed, 2 deleted"}
    recorded_suite.runpytest_inprocess("-p", "no:randomly").assert_outcomes(passed=10)


def test_only_one_is_alive_at_a_time(suite):
    """The tests are ordered by model, and a model that no later test wants is deleted at once."""
    suite.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def one(wml_client, wml_deployment):
            assert len(wml_client.deployments.get_details(get_all=True)["resources"]) == 1
        """
    )
    suite.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=6)


def test_overridden_fixtures_go_on_working(suite, archives):
    """A project's own archive and client are used for every name; its own deployment ends the parameters."""
    suite.makeconftest(
        f"""
        import pytest
        from pytest_wml.model.archive import read_archive

        @pytest.fixture(scope="session")
        def wml_model_archive():
            return read_archive({str(archives["other"])!r})

        @pytest.fixture(scope="session")
        def wml_client(wml_client):
            yield wml_client
        """
    )
    suite.makepyfile(test_models="def test_it(wml_deployment): assert wml_deployment.archive.kind == 'savedmodel'\n")
    suite.makeini(INI.replace("fruit.pkl type=scikit-learn_1.3", "fruit.pkl"))
    suite.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=2)
    suite.makeconftest(
        "import pytest\n\n@pytest.fixture(scope='session')\ndef wml_deployment(wml_client):\n    return wml_client\n"
    )
    suite.makepyfile(test_models="def test_it(wml_deployment): assert wml_deployment.default_space_id\n")
    suite.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("model.tar.gz", "*line `model.tar.gz` does not begin with a name*"),
        ("a/b = model.tar.gz", "*line `a/b = model.tar.gz` does not begin with a name*"),
        (
            "a = model.tar.gz tpye=x",
            "*line `a = model.tar.gz tpye=x` has tpye, but only type, spec, deployment are accepted*",
        ),
        ("a = model.tar.gz type=", "*line `a = model.tar.gz type=` has type without a value*"),
        ("a = type=x", "*line `a = type=x` has no model*"),
        ("a = one.zip\n        A = two.zip", "*two lines have the name 'A'*"),
    ],
)
def test_a_mistake_names_the_line(pytester, line, message):
    """A usage error before any test."""
    pytester.makeini(f"[pytest]\nwml_deployments =\n        {line}\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ini wml_deployments has an invalid value*"])
    result.stderr.fnmatch_lines([message.replace("[", "[[]")])


def test_one_model_and_several_contradict_each_other(suite):
    """Nobody could say which one was meant."""
    result = suite.runpytest_inprocess("--wml-model=model.tar.gz")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ini wml_deployments names the models of the suite, but --wml-model names another*"])


def test_a_marker_that_names_no_deployment_is_an_error(suite):
    """Told when tests are collected, with the names that there are."""
    suite.makepyfile("import pytest\n\n@pytest.mark.wml(deployment='pixel')\ndef test_one(wml_deployment): pass\n")
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*deployment='pixel') names no deployment of this run; there are pixels, fruit*"])


def test_who_cannot_be_parametrized_is_told(suite):
    """`request.getfixturevalue` asks for one deployment, and there are two."""
    suite.makepyfile("def test_one(request): request.getfixturevalue('wml_deployment')\n")
    result = suite.runpytest_inprocess("-k", "test_one")
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.fnmatch_lines(["*This run has several deployments, and the test names none of them.*"])
