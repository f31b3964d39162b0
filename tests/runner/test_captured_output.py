"""What is captured of our fixtures: nothing but what explains a failure."""

from __future__ import annotations

import pickle

import pytest

LINE = "I0000 00:00:1795852697.477680     682 cudart_stub.cc:31] Could not find cuda drivers, GPU will not be used."


def test_a_failing_test_shows_no_banner_of_ibms_client(project, pytester):
    """Only what the test itself printed."""
    pytester.makepyfile(
        """
        def test_one(wml_deployment):
            print("of the test")
            assert wml_deployment is None
        """
    )
    result = pytester.runpytest_inprocess("--wml=embedded", "-rP", pytester.path / f"{pytester._name}.py")
    result.assert_outcomes(failed=1)
    shown = result.stdout.str()
    assert "of the test" in shown
    assert "####" not in shown
    assert "Captured stdout setup" not in shown
    assert "Captured stdout teardown" not in shown


def test_a_deployment_that_fails_shows_them(project, pytester):
    """They tell how far it came, and what the service answered."""
    (project.folder / "model.pkl").write_bytes(pickle.dumps([1, 2, 3]))
    model = ("--wml-model=model.pkl", "--wml-model-type=scikit-learn_1.3")
    result = pytester.runpytest_inprocess("--wml=embedded", *model, "-k", "ready")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "The model was stored, but its deployment failed.",
            "  reason: *run: pytest --wml=embedded --wml-allow-pickle'*",
            "*Captured stdout setup*",
            "Synchronous deployment creation for *",
            "initializing*",
            "failed",
        ]
    )
    assert "####" not in result.stdout.str()


@pytest.mark.parametrize(
    ("failure", "shown"), [("a wrong class", False), ("CUDA error: out of memory", True), ("no GPU is used", True)]
)
def test_lines_of_loading_a_framework(failure, shown, pytester):
    """They are shown where they may explain the failure; what else was written is always shown."""
    pytester.makepyfile(
        f"""
        import sys
        import pytest

        @pytest.fixture
        def framework(wml_digits):
            print({LINE!r}, file=sys.stderr)
            print("of the fixture", file=sys.stderr)

        def test_one(framework):
            pytest.fail({failure!r})
        """
    )
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(failed=1)
    assert (LINE in result.stdout.str()) is shown
    assert "of the fixture" in result.stdout.str()
