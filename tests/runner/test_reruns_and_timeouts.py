"""Beside plugins that run tests again, and such that end them."""

from __future__ import annotations

import pytest

RECORD = ("--wml=embedded", "--wml-record")
AT_THE_SECOND_TRY = {"passed": 2, "rerun": 1}
FLAKY = """
    import numpy as np

    IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)
    tries = []

    def test_at_the_second_try(wml_deployment):
        tries.append(wml_deployment.predict(IMAGES).classes.tolist())
        assert len(tries) == 2

    def test_other(wml_deployment):
        assert wml_deployment.predict(IMAGES).classes.tolist() == [0, 1, 2, 3]
"""


def test_a_test_that_passes_when_it_is_run_again_is_recorded(pytester, project, monkeypatch):
    """pytest-rerunfailures: what counts is how a test ended at last; what both tries asked is replayed."""
    pytester.makepyfile(test_model=FLAKY)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = pytester.runpytest_inprocess(*RECORD, "--reruns=1")
    assert result.parseoutcomes() == AT_THE_SECOND_TRY
    assert project.cassette.exists()
    result.stdout.no_fnmatch_line("::error *")
    assert pytester.runpytest_inprocess("--reruns=1").parseoutcomes() == AT_THE_SECOND_TRY


def test_a_fault_that_happens_once_is_over_when_the_test_is_run_again(pytester, recorded_project):
    """pytest-rerunfailures: faults belong to the test, not to its try."""
    pytester.makepyfile(
        test_model="""
        import numpy as np
        import pytest

        @pytest.mark.wml(faults="status code=400 on=predictions times=1")
        def test_one(wml_deployment):
            image = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)[:1]
            assert wml_deployment.predict(image).classes.tolist() == [0]
        """
    )
    assert pytester.runpytest_inprocess("--reruns=1").parseoutcomes() == {"passed": 1, "rerun": 1}


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_timeout_of_ones_own(pytester, recorded_project, method):
    """pytest-timeout: set and not reached, nothing is different."""
    pytester.runpytest_inprocess("--timeout=300", f"--timeout-method={method}").assert_outcomes(passed=6)


@pytest.mark.slow
def test_a_timeout_ends_a_test_that_waits_for_the_service(pytester, recorded_project):
    """pytest-timeout, by signal: the test fails where it waits, and the next one is answered."""
    pytester.makepyfile(
        test_model="""
        import numpy as np
        import pytest

        IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)

        @pytest.mark.timeout(1, method="signal", func_only=True)
        @pytest.mark.wml(faults="slow seconds=600 on=predictions times=1")
        def test_slow(wml_deployment):
            wml_deployment.predict(IMAGES)

        def test_next(wml_deployment):
            assert wml_deployment.predict(IMAGES).classes.tolist() == [0, 1, 2, 3]
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Timeout (>1.0s)*", "FAILED *::test_slow*"])


@pytest.mark.slow
def test_several_workers_run_a_flaky_test_again(pytester, project):
    """pytest-rerunfailures under pytest-xdist, recording and replaying."""
    pytester.makepyfile(test_model=FLAKY)
    assert pytester.runpytest_inprocess(*RECORD, "--reruns=1", "-n2").parseoutcomes() == AT_THE_SECOND_TRY
    assert project.cassette.exists()
    assert pytester.runpytest_inprocess("--reruns=1", "-n2").parseoutcomes() == AT_THE_SECOND_TRY
