"""As what WML stores each kind of model."""

from __future__ import annotations

import datetime

import pytest

from pytest_wml.emulator.specifications import software_spec_for
from pytest_wml.model import kinds
from pytest_wml.model.kinds import PAIRS, StoredAs, stored_as


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_embedded_service_takes_what_is_inferred(pair: StoredAs) -> None:
    """The catalogue has every specification of the table, and each takes the type beside it."""
    today = datetime.date(2026, 1, 1)
    spec = software_spec_for({"name": pair.software_spec}, pair.model_type, today, cloud=True)
    assert spec.name == pair.software_spec


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_type_of_its_own_framework(kind: kinds.ModelKind) -> None:
    """Where neither type nor specification is given."""
    assert kinds.framework_of(stored_as(kind.frameworks).model_type) == kind.frameworks[0]


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        (kinds.ONNX, {}, ("onnxruntime_1.17", "onnxruntime_opset_21")),
        (kinds.SPARK, {}, ("mllib_3.4", "spark-mllib_3.4")),
        (kinds.PMML, {}, ("pmml_4.2.1", "pmml-3.0_4.3")),
        (kinds.PICKLE, {}, ("scikit-learn_1.3", "runtime-24.1-py3.11")),
        (kinds.ONNX, {"software_spec": "runtime-24.1-py3.11"}, ("pytorch-onnx_2.1", "runtime-24.1-py3.11")),
        (kinds.PICKLE, {"software_spec": "runtime-25.1-py3.12"}, ("scikit-learn_1.6", "runtime-25.1-py3.12")),
        (kinds.PICKLE, {"software_spec": "my-own"}, ("scikit-learn_1.3", "my-own")),
        (kinds.ONNX, {"model_type": "pytorch-onnx_2.1"}, ("pytorch-onnx_2.1", "runtime-24.1-py3.11")),
        (kinds.ONNX, {"model_type": "onnxruntime_1.16"}, ("onnxruntime_1.16", "onnxruntime_opset_19")),
        (kinds.SPARK, {"model_type": "mllib_3.3"}, ("mllib_3.3", "spark-mllib_3.3")),
        (kinds.PICKLE, {"model_type": "scikit-learn_rt24.1"}, ("scikit-learn_rt24.1", "runtime-24.1-py3.11")),
        (kinds.SAVED_MODEL, {"model_type": "a_1", "software_spec": "b"}, ("a_1", "b")),
    ],
)
def test_what_is_given_wins_and_the_rest_is_made_to_fit(kind, given, stored) -> None:
    """A type has its specification, and a specification its type."""
    assert stored_as(kind.frameworks, **given) == stored
