"""What a user says of a run is meant: a mistyped key, variable, value or file never tests something else instead."""

from __future__ import annotations

import pytest

from pytest_wml.config.values import unwrapped

ONE_TEST = "def test_one(): pass"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\nwml_modle = model.tar.gz\n"),
        ("tox.ini", "[pytest]\nwml_modle = model.tar.gz\n"),
        ("setup.cfg", "[tool:pytest]\nwml_modle = model.tar.gz\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nwml_modle = 'model.tar.gz'\n"),
    ],
)
def test_a_mistyped_key_is_an_error(file, text, pytester):
    """A key that nobody knows ends the run before it begins, with the key that was meant."""
    (pytester.path / file).write_text(text)
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"ERROR: {file} has a key unknown to pytest-wml: wml_modle.",
            "  did you mean: wml_model",
            f"  looked at: {pytester.path / file}",
        ]
    )


def test_a_mistyped_key_on_the_command_line(pytester):
    """`-o wml_modle=…` likewise."""
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess("-o", "wml_modle=model.tar.gz")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: -o has a key unknown to pytest-wml: wml_modle.", "*mean: wml_model"])


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("wlm_model", "wml_model"),
        ("WML_MODEL", "wml_model"),
        ("wml", "wml_mode"),
        ("wml_live", "wml_mode = live"),
        ("wml_apikey", "the variable WML_APIKEY or a credentials file*"),
    ],
)
def test_other_keys_that_are_none(key, meant, pytester):
    """Swapped letters, capitals, the flag's name, and credentials, whose value is not shown."""
    pytester.makeini(f"[pytest]\n{key} = embedded-value\n")
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*unknown to pytest-wml: {key}.", f"  did you mean: {meant}"])
    assert "embedded-value" not in result.stderr.str()


def test_keys_that_a_conftest_declares_are_its_own(pytester):
    """The prefix is nobody's: what a conftest or another plugin declares is left alone."""
    pytester.makeconftest("def pytest_addoption(parser): parser.addini('wml_flavour', 'of the suite')")
    pytester.makeini("[pytest]\nwml_flavour = sweet\n")
    pytester.makepyfile(ONE_TEST)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_help_is_shown_all_the_same(pytester):
    """The error sends its reader to `pytest --help`."""
    pytester.makeini("[pytest]\nwml_modle = model.tar.gz\n")
    assert pytester.runpytest_inprocess("--help").ret == pytest.ExitCode.OK


def test_a_mistyped_variable_is_an_error(pytester, monkeypatch):
    """`WML_MODLE=… pytest` too, also where no other option is given."""
    monkeypatch.setenv("WML_MODLE", "model.tar.gz")
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: The variable WML_MODLE is set, *", "  did you mean: WML_MODEL"])


@pytest.mark.parametrize(
    ("key", "value", "plain"),
    [
        ("wml_model", '"model.tar.gz"', "model.tar.gz"),
        ("wml_mode", "'embedded'", "embedded"),
        ("wml_model", "model.tar.gz  # the newest", "model.tar.gz"),
        ("wml_name", "“mnist”", "mnist"),
    ],
)
def test_quotes_and_comments_of_toml_in_an_ini(key, value, plain, pytester):
    """What was copied from a TOML file would be part of the value."""
    pytester.makeini(f"[pytest]\n{key} = {value}\n")
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: ini {key} has a value with quotes, *: {value}", f"*plain value: {key} = {plain}"]
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("[\"a = x.tar.gz\", 'b = y.tar.gz']", "a = x.tar.gz\nb = y.tar.gz"),
        ('[\n"a = x.tar.gz",\n"b = y.tar.gz",\n]', "a = x.tar.gz\nb = y.tar.gz"),
        ('"a = x.tar.gz"', "a = x.tar.gz"),
        ("# the first\na = 'x.tar.gz'", "# the first\na = 'x.tar.gz'"),
    ],
)
def test_lists_of_toml_in_an_ini(text, plain):
    """Lines are read without the brackets, quotes and commas of a TOML list; quotes around a path may stay."""
    assert unwrapped(text, lines=True, commented=True) == plain


def test_a_mistyped_value_is_told_with_the_one_that_was_meant(pytester):
    """`--wml=embeded`."""
    pytester.makepyfile(ONE_TEST)
    result = pytester.runpytest_inprocess("--wml=embeded")
    result.stderr.fnmatch_lines(
        ["ERROR: --wml has an invalid value: 'embeded'.", "*one of replay, embedded, live", "  did you mean: embedded"]
    )


def test_a_mistyped_file_is_told_with_those_near_it(project, pytester):
    """`wml_model = modle.tar.gz` where there is a model.tar.gz; said before that nothing is recorded."""
    result = pytester.runpytest_inprocess("-o", "wml_model=modle.tar.gz", "-k", "ready")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*names a model that does not exist: modle.tar.gz.", f"  there is: {project.archive}"])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "wml: model: the packaged sample (from default)"),
        (["--wml=embedded"], "wml: model: the packaged sample (from default)"),
        (["--wml-model=x.tar.gz"], "wml: model: x.tar.gz (from --wml-model)"),
        (["-o", "wml_deployments=a = x.tar.gz"], "wml: model: a = x.tar.gz (from ini wml_deployments)"),
        (["--wml-deployment=of_ours"], "wml: model: that of deployment of_ours (from --wml-deployment)"),
    ],
)
def test_the_header_names_the_model(options, line, pytester):
    """Also the sample, which is tested where nothing else was said."""
    pytester.makepyfile(ONE_TEST)
    pytester.runpytest_inprocess(*options).stdout.fnmatch_lines([line])
