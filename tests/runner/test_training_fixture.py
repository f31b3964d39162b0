"""`wml_trained_cnn`: trained once, its outcome in the log, and packaged for replay."""

from __future__ import annotations

import pytest

TESTS = """
    def test_it_learned(wml_trained_cnn, wml_digits):
        assert wml_trained_cnn.accuracy >= 0.965
        assert wml_trained_cnn.predict([wml_digits[5], wml_digits[4]]).argmax(axis=1).tolist() == [5, 4]

    def test_the_service_scores_it(wml_deployment, wml_digits):
        assert wml_deployment.predict([wml_digits[5], wml_digits[4]]).classes.tolist() == [5, 4]
"""


@pytest.mark.slow
def test_trained_recorded_and_replayed(pytester):
    """One worker trains, the other waits for it; a line tells what came of it; the cache trains once; replay never."""
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nwml_model = train\n")
    first = pytester.runpytest_subprocess("-n", "2", "--wml=embedded", "--wml-record")
    first.assert_outcomes(passed=2)
    (shown,) = [line for line in first.outlines + first.errlines if "loss" in line or "held-out digits" in line]
    assert "accuracy" in shown
    assert "(CPU)" in shown or "(GPU" in shown
    again = pytester.runpytest_inprocess("--wml=embedded")
    again.assert_outcomes(passed=2)
    assert "held-out digits" not in again.stdout.str() + again.stderr.str()
    pytester.runpytest_inprocess("-k", "service").assert_outcomes(passed=1, deselected=1)


def test_replay_never_trains(pytester):
    """Nothing was packaged yet: the error says how it will be, and nothing is trained."""
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-o", "wml_model=train", "-k", "service")
    result.assert_outcomes(errors=1, deselected=1)
    assert "loss" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*run*--wml=embedded*"])
