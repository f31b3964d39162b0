"""Each mistake ends with one message: what happened, what is known, what to do next; no traceback of ours."""

from __future__ import annotations

import os
import sys
import tarfile

import pytest

ONE = "def test_one(wml_deployment): pass"


def ends_with(result, *lines):
    """The message is on the terminal, and no traceback of ours is."""
    text = result.stdout.str() + result.stderr.str()
    for line in lines:
        assert line in text
    assert "Traceback" not in text
    assert "pytest_wml/" not in text.replace("site-packages", "")


def test_no_cassette(pytester):
    """A first run without any option: how to record, and how to do without."""
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    ends_with(
        result,
        "Nothing was recorded for the deployment mnist_cnn.",
        f"looked for: {pytester.path / 'cassettes' / 'mnist_cnn.yaml'}",
        "what to do: record it: pytest --wml=embedded --wml-record",
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "ini", "source"),
    [
        (["--wml=replya"], {}, "", "--wml has an invalid value: 'replya'."),
        ([], {"WML_MODE": "replya"}, "", "WML_MODE has an invalid value: 'replya'."),
        ([], {}, "wml_mode = replya", "ini wml_mode has an invalid value: 'replya'."),
        ([], {"WML_RECORD": "perhaps"}, "", "WML_RECORD has an invalid value: 'perhaps'."),
        (["--wml-name=a/b"], {}, "", "--wml-name has an invalid value: 'a/b'."),
        (["--wml-record"], {}, "", "Nothing can be recorded in replay (--wml-record is on)."),
    ],
)
def test_an_unknown_value(pytester, monkeypatch, arguments, variables, ini, source):
    """The message names where the value came from."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    pytester.makeini(f"[pytest]\n{ini}\n")
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    ends_with(result, source, "what to do:")


def test_the_header_says_what_chose_the_mode(pytester, monkeypatch):
    """The command line wins over the environment, which wins over the ini."""
    pytester.makeini("[pytest]\nwml_mode = live\nwml_name = from_ini\n")
    pytester.makepyfile("def test_one(): pass")
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["wml: live (from ini wml_mode)"])
    monkeypatch.setenv("WML_MODE", "embedded")
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["wml: embedded (from WML_MODE)"])
    result = pytester.runpytest_inprocess("--wml=replay")
    result.stdout.fnmatch_lines(["wml: replay (from --wml)", "wml: name = from_ini (from ini wml_name)"])


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        (
            "casette='x'",
            "@pytest.mark.wml has no argument casette; "
            "it accepts cassette, live_only, not_in_replay, deployment, faults.",
        ),
        (
            "'x'",
            "@pytest.mark.wml takes keywords only; it accepts cassette, live_only, not_in_replay, deployment, faults.",
        ),
        ("live_only='yes'", "@pytest.mark.wml(live_only='yes'): True or False is needed."),
        ("cassette='../x'", "@pytest.mark.wml(cassette='../x'): a plain file name"),
    ],
)
def test_a_mistyped_marker(pytester, marker, message):
    """A marker is checked when tests are collected, not when it silently did nothing."""
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.wml({marker})\ndef test_one(): pass\n")
    result = pytester.runpytest_inprocess("-n", "0")
    assert result.ret != 0
    assert message in result.stdout.str() + result.stderr.str()


@pytest.mark.slow
def test_a_mistyped_marker_in_a_worker(pytester):
    """Which collects, and whose mistake the controller tells."""
    pytester.makepyfile("import pytest\n\n@pytest.mark.wml('x')\ndef test_one(): pass\n")
    result = pytester.runpytest_inprocess("-n", "1")
    assert result.ret != 0
    assert "@pytest.mark.wml takes keywords only" in result.stdout.str() + result.stderr.str()


def test_an_archive_without_a_graph(pytester):
    """What was found instead of saved_model.pb is named."""
    (pytester.path / "notes.txt").write_text("no model")
    with tarfile.open(pytester.path / "model.tar.gz", "w:gz") as archive:
        archive.add(pytester.path / "notes.txt", "notes.txt")
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-model=model.tar.gz")
    result.assert_outcomes(errors=1)
    ends_with(result, "No saved_model.pb at the root of", "found: notes.txt", "what to do: export the model with")


def test_a_model_that_does_not_exist(pytester):
    """The option and the path that was looked at are named."""
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-model=modle.tar.gz")
    ends_with(result, "--wml-model names a model that does not exist: modle.tar.gz.", "what to do: give an archive")


def test_a_wrong_input_shape(pytester):
    """The shape that was given and the one that is wanted, and the line of the test."""
    pytester.makepyfile("def test_one(wml_deployment):\n    wml_deployment.predict([[1.0, 2.0]])\n")
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(failed=1)
    ends_with(
        result,
        "The array does not fit input 'image' of the model.",
        "given: shape [1, 2]",
        "wanted: shape [None, 784]",
        "at: test_a_wrong_input_shape.py:2",
    )


@pytest.mark.parametrize("name", ["WML_APIKEY", "none"])
def test_live_without_credentials(pytester, monkeypatch, name):
    """What was looked at is named, and what can be done without an account."""
    for variable in [variable for variable in os.environ if variable.startswith("WML_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv(name, "")
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml-live")
    result.assert_outcomes(errors=1)
    ends_with(result, "A live run needs credentials, but none were given.", "--wml-credentials", "--wml=embedded")


def test_live_without_a_space(pytester, monkeypatch):
    """The space is asked for before the first request."""
    monkeypatch.setenv("WML_APIKEY", "a-key-that-nobody-may-see")
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml-live")
    ends_with(result, "The credentials contain no deployment space.", "WML_SPACE_ID")
    assert "a-key-that-nobody-may-see" not in result.stdout.str()


def test_a_bad_credentials_file(pytester):
    """Its message, and nothing of what is in the file; tests/credentials has each mistake."""
    (pytester.path / "key.json").write_text('{"apikey": "a-key-that-nobody-may-see", "oops')
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml-live", "--wml-credentials=key.json")
    result.assert_outcomes(errors=1)
    ends_with(result, "The credentials file is not JSON.")
    assert "nobody-may-see" not in result.stdout.str()


@pytest.mark.parametrize(
    ("blocked", "message", "extra"),
    [
        (
            "ibm_watson_machine_learning, ibm_watsonx_ai",
            "IBM's client is not installed.",
            'pip install "pytest-wml[wml]"',
        ),
        ("tensorflow", "The package tensorflow is needed", 'pip install "pytest-wml[tensorflow]"'),
    ],
)
def test_a_missing_extra(pytester, monkeypatch, blocked, message, extra):
    """A package that an extra brings is missing: the command that brings it is shown."""
    for name in blocked.split(", "):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    pytester.makepyfile(ONE)
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(errors=1)
    ends_with(result, message, extra)
