"""Faults on demand in a run: by a marker, by the ini, by a file; and what the summary says of them."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from tests.ibm import needs_older

RETRYING = """
    import numpy as np
    import pytest

    IMAGE = np.eye(4, dtype="float32")[:1].reshape(1, 2, 2, 1)

    def scored(deployment, tries=5):
        for left in reversed(range(tries)):
            try:
                return deployment.predict(IMAGE).classes.tolist()
            except Exception:
                if not left:
                    raise

"""
STORM = '@pytest.mark.wml(faults="status code=429 retry-after=1 on=predictions times=2")'
TWICE = f"""
    {STORM}
    def test_survives(wml_deployment):
        assert scored(wml_deployment) == [0]

    {STORM}
    def test_gives_up(wml_deployment):
        with pytest.raises(Exception, match="429"):
            scored(wml_deployment, tries=2)

    def test_nothing_happens(wml_deployment):
        assert scored(wml_deployment, tries=1) == [0]
"""


@pytest.fixture
def retrying(pytester, recorded_project):
    """Writes a recorded project's tests anew: those given, after a function that scores and tries again."""
    return lambda tests: pytester.makepyfile(test_model=dedent(RETRYING) + dedent(tests))


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_code_that_tries_again_is_tested_from_a_recording(pytester, retrying, workers):
    """The faults come before the recording's answers, for the marked tests only, and are counted."""
    retrying(TWICE)
    result = pytester.runpytest_inprocess("-n", workers)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["faults: 429 on POST …/predictions ×4 (test_model.py::test_gives_up, test_model.py::test_survives)"]
    )


@needs_older
def test_a_token_that_expires_in_mid_run(pytester, retrying):
    """Code that logs in again goes on, from a recording too, whose token is the same each time."""
    retrying(
        """
        @pytest.mark.wml(faults="token-expires after=2")
        def test_survives(wml_client, wml_deployment):
            assert [scored(wml_deployment, tries=1) for _ in range(2)] == [[0], [0]]
            with pytest.raises(Exception, match="authentication_token_expired"):
                scored(wml_deployment, tries=3)
            wml_client.wml_token = wml_client.service_instance._create_token()
            assert scored(wml_deployment, tries=1) == [0]

        def test_others_have_their_token(wml_deployment):
            assert [scored(wml_deployment, tries=1) for _ in range(3)] == [[0]] * 3
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["faults: 401, token expired, on POST …/predictions ×3 (test_model.py::test_survives)"])


def test_a_fault_that_nothing_met_is_reported(pytester, retrying):
    """A test of a retry that was never needed is told; one by chance, or of a skipped or failed test, is not."""
    retrying(
        """
        @pytest.mark.wml(faults=["cut on='GET /models'", "cut probability=0.0"])
        def test_asks_no_models(wml_deployment):
            assert scored(wml_deployment) == [0]

        @pytest.mark.skip
        @pytest.mark.wml(faults="cut")
        def test_skipped(wml_deployment):
            pass

        @pytest.mark.wml(faults="cut on=spaces")
        def test_failing(wml_deployment):
            assert False
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, skipped=1, failed=1)
    [told] = [line for line in result.outlines if line.startswith("faults:")]
    assert told == "faults: never met by a request: cut on='GET /models' (test_model.py::test_asks_no_models)"


def test_a_mistake_in_a_marker_ends_the_collection(pytester):
    """With the line, what is accepted and what was probably meant, before any test runs."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.wml(faults=["cut", "status cod=429"])
        def test_one(): pass

        @pytest.mark.wml(faults=3)
        def test_two(): pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*test_one: This is not a valid fault (@pytest.mark.wml(faults=…), line 2): status does not accept 'cod=*",
            "  line: status cod=429",
            "  accepts: code=, retry-after=, on=, nth=, times=, probability=, seed=",
            "  what to do: did you mean code=?",
            "*test_two: @pytest.mark.wml(faults=3): a line or a list of lines is needed.",
        ]
    )


@pytest.mark.parametrize("way", ["ini", "variable"])
def test_faults_for_the_whole_run(pytester, monkeypatch, retrying, way):
    """The ini holds the lines; the variable names a file, as the flag does; the header says so."""
    line = "status code=503 on=predictions nth=2"
    (pytester.path / "faults.txt").write_text(f"# once\n{line}\n")
    with (pytester.path / "tox.ini").open("a") as ini:
        ini.write(f"\nwml_faults =\n    {line}\n" if way == "ini" else "")
    if way == "variable":
        monkeypatch.setenv("WML_FAULTS", "faults.txt")
    retrying(
        """
        def test_one(wml_deployment):
            assert scored(wml_deployment, tries=1) == [0]

        def test_two(wml_deployment):
            assert scored(wml_deployment) == [0]
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "wml: *faults = status code=503 on=/predictions nth=2 times=1 (from *",
            "faults: 503 on POST …/predictions ×1 (test_model.py::test_two)",
        ]
    )
    assert "contains requests that no test sends" not in result.stdout.str()


def test_a_mistake_in_a_file_ends_the_run(pytester):
    """Before anything is collected, with the file and the line."""
    (pytester.path / "faults.txt").write_text("cut\n\nslow second=2\n")
    result = pytester.runpytest_inprocess("--wml-faults=faults.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*This is not a valid fault (faults.txt, line 3): slow does not accept 'second=2'.",
            "  what to do: did you mean seconds=?",
        ]
    )


def test_recording_while_the_whole_run_has_faults_is_refused(pytester):
    """A recording of what the service did not answer would be a lie."""
    pytester.makeini("[pytest]\nwml_faults = cut\n")
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Nothing is recorded while faults are injected into the whole run (ini wml_faults)."])


@pytest.mark.slow
def test_the_faults_of_a_marker_are_not_recorded(pytester, project):
    """They stand before the recorder: what it holds are the service's answers, and replay adds the same faults."""
    pytester.makepyfile(test_model=dedent(RETRYING) + dedent(TWICE))
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=3)
    recorded = "".join(path.read_text("utf-8") for path in project.cassette.parent.glob("*.yaml"))
    assert "predictions" in recorded
    assert "too_many_requests" not in recorded
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_a_failed_deployment_from_a_recording(pytester, retrying):
    """The tests of the deployment are told why it failed, as the service says it."""
    retrying("def test_one(wml_deployment): pass")
    with (pytester.path / "tox.ini").open("a") as ini:
        ini.write("\nwml_faults = deployment-failed reason='out of memory' name=tiny\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*The model was stored, but its deployment failed.",
            "*reason: *out of memory*",
            "faults: deployment-failed on GET …/deployments ×1 (wml_deployment)",
        ]
    )
    assert "No recording" not in result.stdout.str()


@pytest.mark.slow
def test_a_stuck_deployment_from_a_recording(pytester, retrying):
    """Our wait ends with what was seen, in no time."""
    retrying("def test_one(wml_deployment): pass")
    (pytester.path / "faults.txt").write_text("deployment-stuck")
    result = pytester.runpytest_inprocess("--wml-faults=faults.txt")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*The deployment was not ready within 1200 seconds; IBM's client would wait for ever.",
            "*states: initializing ×240",
        ]
    )
    assert "No recording" not in result.stdout.str()


def test_a_deletion_that_conflicts(pytester, retrying):
    """The fixture's teardown tries again; the tests do not notice."""
    retrying("def test_one(wml_deployment): assert scored(wml_deployment) == [0]")
    with (pytester.path / "tox.ini").open("a") as ini:
        ini.write('\nwml_faults =\n    status code=409 on="DELETE /deployments" times=2\n')
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["faults: 409 on DELETE …/deployments ×2 (wml_deployment)"])


def test_help_tells_the_form(pytester):
    """Every kind of fault is in the help of the flag, and the marker points to it."""
    told = " ".join(pytester.runpytest_inprocess("--help").stdout.str().split())
    markers = " ".join(pytester.runpytest_inprocess("--markers").stdout.str().split())
    for kind in ("token-expires", "status", "slow", "deployment-stuck", "deployment-failed", "cut"):
        assert re.search(rf"\b{kind}[ ,]", told)
    assert "(see --wml-faults)" in markers
