"""One cause is reported in full once a run, and the short summary begins with what happened."""

from __future__ import annotations

import numpy as np
import pytest

NOTHING = "Nothing was recorded for the deployment mnist_cnn."
THREE = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_it(wml_deployment, number): pass
"""


def shown(result):
    return result.stdout.str().split("short test summary info")[0]


def summary(result):
    return [line for line in result.stdout.lines if line.startswith(("FAILED ", "ERROR "))]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_nothing_recorded_for_three_tests(pytester, workers):
    """The first test has the whole message; the others say in one line which test that is."""
    pytester.makepyfile(test_a=THREE)
    result = pytester.runpytest_inprocess("-n", workers)
    result.assert_outcomes(errors=3)
    text = shown(result)
    assert text.count("  what to do: record it") == 1
    first, *others = [line for line in text.splitlines() if NOTHING in line]
    assert first == NOTHING
    named = [name for name in ("test_a.py::test_it[1]", "test_a.py::test_it[2]", "test_a.py::test_it[3]")]
    assert len(others) == 2
    assert others[0] == others[1]
    assert others[0] in [f"as above: {NOTHING} ({name})" for name in named]


def test_the_first_test_is_the_first_that_is_shown(pytester):
    """pytest shows errors of fixtures before failures: what is above is what the reader has seen."""
    pytester.makepyfile(
        test_a="""
        def test_asks(request):
            request.getfixturevalue("wml_deployment")

        def test_is_given(wml_deployment): pass
        """
    )
    text = shown(pytester.runpytest_inprocess())
    assert text.index("  what to do:") < text.index(f"as above: {NOTHING} (test_a.py::test_is_given)")


def test_each_request_that_has_no_recording_is_named(pytester):
    """Where nothing was recorded at all, one way out is enough, and each test still says what it asked."""
    pytester.makepyfile(
        test_a="""
        import requests

        def test_models():
            requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/models")

        def test_deployments():
            requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/deployments")
        """
    )
    text = shown(pytester.runpytest_inprocess())
    assert text.count("what to do:") == 1
    asked = "GET /ml/v4/deployments (without a token)"
    line = f"as above: No recording answers this request: {asked} (test_a.py::test_models)"
    assert line in text.splitlines()


def test_other_causes_are_told_in_full(pytester, recorded_project):
    """Two requests that differ from the recording in different places are two causes."""
    pytester.makepyfile(
        test_model="""
        import numpy as np
        import pytest

        @pytest.mark.parametrize("pixel", [0.25, 0.5])
        def test_new(wml_deployment, pixel):
            wml_deployment.predict(np.full((1, 2, 2, 1), pixel, "float32"))
        """
    )
    text = shown(pytester.runpytest_inprocess())
    assert "as above" not in text
    assert text.count("what to do:") == 2


def test_a_changed_model(pytester, recorded_project, archives):
    """Both digests are shown once; the JUnit file has the whole message for each test."""
    recorded_project.replace_model(archives["other"])
    result = pytester.runpytest_inprocess("--junitxml=junit.xml")
    result.assert_outcomes(errors=6)
    changed = "The model changed: cassette tiny was recorded with another one."
    assert shown(result).count("  recorded at: ") == 1
    assert shown(result).count(f"as above: {changed} (test_model.py::test_each_image_gets_its_class)") == 5
    assert (pytester.path / "junit.xml").read_text().count("recorded at: ") >= 6
    assert summary(result)[0].startswith("ERROR test_model.py::test_each_image_gets_its_class - The model changed:")


def test_a_missing_extra(pytester, monkeypatch):
    """The package and the command that brings it are shown once."""
    pytester.makepyfile(
        test_a="""
        import pytest
        from pytest_wml.errors import MissingExtra

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(number):
            raise MissingExtra("The package nothing is needed.", fix="pip install nothing")
        """
    )
    text = shown(pytester.runpytest_inprocess("--wml=embedded"))
    assert text.count("pip install nothing") == 1
    assert "as above: The package nothing is needed. (test_a.py::test_it[1])" in text.splitlines()


def test_what_fails_outside_any_test(pytester):
    """A conftest that asks the same twice, as two workers of xdist may, has one message."""
    pytester.makeconftest(
        """
        import requests

        def pytest_sessionfinish():
            for _ in range(2):
                requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/unheard_of", timeout=5)
        """
    )
    pytester.makepyfile("def test_one(): pass")
    text = pytester.runpytest_inprocess().stdout.str()
    assert text.count("outside any test: No recording answers this request.") == 1
    assert "\n  (2 times)" in text


BROKEN = """
    import numpy as np

    IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)

    def test_classes(wml_contract):
        wml_contract.classes(IMAGES, [1, 2, 3, 0])
"""
HEADLINE = "ContractBroken: classes: 4 findings (tiny, answered by replay)"


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_broken_contract_in_the_short_summary(pytester, recorded_project, monkeypatch, ci):
    """Its line begins with our words and is one line, also in CI, where pytest shows the whole message."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile(test_model=BROKEN)
    result = pytester.runpytest_inprocess("--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    assert summary(result) == [f"FAILED test_model.py::test_classes - {HEADLINE}"]
    after = result.stdout.str().split("short test summary info")[1]
    assert "promised" not in after
    assert f'message="{HEADLINE}' in (pytester.path / "junit.xml").read_text()


def test_a_promise_of_a_contract_file_in_the_short_summary(pytester, recorded_project, monkeypatch):
    """It reads as a broken contract of Python does."""
    monkeypatch.setenv("COLUMNS", "200")
    (pytester.path / "test_model.py").unlink()
    np.save(pytester.path / "one.npy", np.eye(4, dtype="float32").reshape(4, 2, 2, 1)[0])
    (pytester.path / "tiny.wml.yaml").write_text(
        "model: model.tar.gz\nname: tiny\nexamples:\n  - {input: one.npy, class: 3}\n"
    )
    result = pytester.runpytest_inprocess()
    (line,) = summary(result)
    assert " - ContractBroken: classes: 1 finding (tiny, answered by replay)" in line
