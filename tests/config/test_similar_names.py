"""Names that resemble a mistyped one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_wml.config import option_table, similar_names, unknown


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("wml_modle", "wml_model"),
        ("wml-model", "wml_model"),
        ("WML_MODE", "wml_mode"),
        ("wml_deployement", "wml_deployment"),
        ("wml_softwarespec", "wml_software_spec"),
        ("wml_zzzzzz", ""),
    ],
)
def test_the_nearest_name(word, meant):
    """The known name with the fewest slips; of two as near the one with the same letters."""
    assert similar_names.closest(word, [option.ini for option in option_table.TABLE]) == meant


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("WML_MODLE", "WML_MODEL"),
        ("WML_MODELS", "WML_MODEL"),
        ("wml_model", "WML_MODEL"),
        ("WML_DEPLYOMENST", "WML_DEPLOYMENTS"),
        ("WML_SPCAE_ID", "WML_SPACE_ID"),
        ("WML_APIKYE", "WML_APIKEY"),
        ("WML", "WML_MODE"),
    ],
)
def test_a_variable_with_a_slip_of_typing(variable, meant):
    """A variable that nobody reads, and that differs from one of ours by a slip, is an error that names ours."""
    error = unknown.variables({"PATH": "/bin", variable: "embedded"})
    assert error is not None
    assert error.facts["did_you_mean"] == meant


@pytest.mark.parametrize(
    "variable",
    [
        "WML_CLIENT_VERIFY_REQUESTS",
        "WML_CHROMIUM",
        "WML_PROJECT_ID",
        "WML_NODE",
        "WML_CI",
        "WML_SPACE",
        "WML_MODEL_PATH",
        "WML_HOME",
        "WMLX_MODEL",
    ],
)
def test_variables_of_others_are_left_alone(variable):
    """IBM, and everybody else, may have variables with the same prefix."""
    assert unknown.variables({variable: "x"}) is None


def test_an_empty_variable_is_not_set():
    """CI systems leave a variable empty to say that it is not set."""
    assert unknown.variables({"WML_MODLE": "", "WML": "on"}) is None


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        ("modle.tar.gz", "model.tar.gz"),
        ("model.zip", "model.tar.gz"),
        ("digits.onnx", "models/digits.onnx"),
        ("modles/digits.onnx", "models/digits.onnx"),
        ("models/model.tar.gz", "model.tar.gz"),
        ("model.tar.gz", ""),
        ("nothing/of/the/kind.pkl", ""),
    ],
)
def test_files_near_one_that_is_missing(missing, found, tmp_path):
    """A similar name, another ending, or the same name one folder further down or up."""
    (tmp_path / "models").mkdir()
    for name in ("model.tar.gz", "models/digits.onnx", "README.md"):
        (tmp_path / name).touch()
    shown = similar_names.files(tmp_path / missing)
    assert shown == (str(Path(tmp_path, found)) if found else "")
