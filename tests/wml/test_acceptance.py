"""What is accepted with which software specification, and by whom it is refused."""

from __future__ import annotations

import datetime

import pytest

from pytest_wml.emulator.refusals import UnprocessableEntity
from pytest_wml.emulator.specifications import current_software_spec, software_spec_for
from pytest_wml.wml.acceptance import storing_warnings, version_warning
from pytest_wml.wml.software_specs import BY_NAME

TODAY = datetime.date(2026, 11, 28)
RT_24_1 = BY_NAME["runtime-24.1-py3.11"]


def test_what_nobody_was_seen_to_store_is_accepted_with_a_warning():
    """IBM's service may refuse it, and nobody was seen to be refused."""
    spec = software_spec_for({"name": "runtime-25.1-py3.12"}, "tensorflow_2.18", TODAY, cloud=True)
    assert storing_warnings(spec, "tensorflow_2.18", TODAY, cloud=True) == [
        "It is not known whether IBM's service stores models of type 'tensorflow_2.18' with runtime-25.1-py3.12; "
        "the embedded service accepted one."
    ]
    assert storing_warnings(spec, "scikit-learn_1.6", TODAY, cloud=True) == []


def test_a_refused_type_says_who_refuses():
    """The first words are IBM's, because its newer client looks for them; the list is ours."""
    with pytest.raises(UnprocessableEntity) as refused:
        software_spec_for("45f12dfe-aa78-5b8d-9f38-0ee223c47309", "foo_1", TODAY, cloud=True)
    assert refused.value.message == (
        "Invalid request entity: Unsupported model type and software specification combination: "
        "'foo_1' and 'runtime-24.1-py3.11'. pytest-wml's embedded service knows these types for it: "
        "tensorflow_2.14, scikit-learn_1.3, pytorch-onnx_2.1, tensorflow_rt24.1, xgboost_2.0."
    )


def test_an_unknown_specification_says_who_refuses():
    """IBM's service may have it: one that is newer, or of the user's own."""
    with pytest.raises(UnprocessableEntity, match=r"'runtime-27\.1'\. pytest-wml's embedded service knows none of"):
        current_software_spec("runtime-27.1", TODAY, cloud=True)


def test_what_ibm_refused_is_refused_in_ibms_words():
    """As recorded in IBM Cloud; Cloud Pak for Data was not seen to refuse it, and its documentation warns."""
    with pytest.raises(UnprocessableEntity) as refused:
        current_software_spec("runtime-22.1-py3.9", TODAY, cloud=True)
    assert refused.value.message == "Invalid request entity: Unsupported software specification 'runtime-22.1-py3.9'."
    spec = current_software_spec("runtime-22.1-py3.9", TODAY, cloud=False)
    (warning,) = storing_warnings(spec, "tensorflow_2.7", TODAY, cloud=False)
    assert warning.startswith("runtime-22.1-py3.9 is constricted: no new models on installations since")


@pytest.mark.parametrize(
    ("written_by", "framework", "warned"),
    [
        ("TensorFlow 2.14.1", "tensorflow", False),
        ("TensorFlow 1.15.0", "tensorflow", False),
        ("TensorFlow 2.15.0", "tensorflow", True),
        ("Keras 2.2.4", "tensorflow", False),
        ("Keras 3.0.0", "tensorflow", True),
        ("scikit-learn 1.3.2", "scikit-learn", False),
        ("scikit-learn 1.2.0", "scikit-learn", True),
        ("scikit-learn 1.9.1", "scikit-learn", True),
        ("XGBoost 1.7.0", "xgboost", False),
        ("XGBoost 3.2.0", "xgboost", True),
        ("TensorFlow unknown", "tensorflow", False),
        ("", "tensorflow", False),
        ("anything 9.9", "function", False),
    ],
)
def test_a_newer_writer_than_the_specification_runs_is_warned_of(written_by, framework, warned):
    """Files are read by newer versions too, a pickle only by the version that wrote it."""
    assert bool(version_warning(written_by, framework, RT_24_1)) is warned
