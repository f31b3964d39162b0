"""The kinds of models: by which files each is known, and as what WML stores it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_wml.config.option_table import MODEL_TYPE, SOFTWARE_SPEC

GRAPH, TEXT_GRAPH = "saved_model.pb", "saved_model.pbtxt"
KERAS_FILES = (".h5", ".hdf5", ".keras")
PICKLES = (".pkl", ".pickle", ".joblib")
ONNX_FILES = (".onnx",)
XGBOOST_FILES = (".json", ".ubj", ".model", ".bst")
PMML_FILES = (".xml", ".pmml")
MODEL_FILES = (*KERAS_FILES, *PICKLES, *ONNX_FILES, *XGBOOST_FILES, *PMML_FILES)
"""How the names of models that are one file end."""
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
"""How the names of archives end."""


@dataclass(frozen=True)
class ModelKind:
    """One kind of model.

    Attributes:
        name: with its article.
        frameworks: the frameworks of WML whose types take such a model; the first is the one that is inferred.
        extra: the extra of pytest-wml with which the embedded service runs it; empty where it does not.
        pickled: whether loading it runs code that is in the file.
    """

    name: str
    frameworks: tuple[str, ...]
    extra: str = ""
    pickled: bool = False


SAVED_MODEL = ModelKind("a TensorFlow SavedModel", ("tensorflow", "keras"), "tensorflow")
KERAS = ModelKind("a Keras file", ("tensorflow", "keras"), "tensorflow")
PICKLE = ModelKind("a pickle", ("scikit-learn", "xgboost"), "sklearn", pickled=True)
PICKLED_XGBOOST = ModelKind("a pickle of XGBoost's", ("xgboost", "scikit-learn"), "xgboost", pickled=True)
XGBOOST = ModelKind("an XGBoost model", ("xgboost",), "xgboost")
ONNX = ModelKind("an ONNX model", ("onnxruntime", "pytorch-onnx"), "onnx")
PMML = ModelKind("a PMML document", ("pmml",))
SPARK = ModelKind("a saved Spark model", ("mllib",), "spark")
KINDS = (SAVED_MODEL, KERAS, PICKLE, PICKLED_XGBOOST, XGBOOST, ONNX, PMML, SPARK)


class StoredAs(NamedTuple):
    """What a model is stored with: its type and its software specification."""

    model_type: str
    software_spec: str


# The first of a framework is inferred where neither is given, the others where one of the two is. The catalogue of
# the embedded service accepts every pair: tests/model/test_kinds.py.
PAIRS = (
    StoredAs(MODEL_TYPE, SOFTWARE_SPEC),
    StoredAs("scikit-learn_1.3", SOFTWARE_SPEC),
    StoredAs("xgboost_2.0", SOFTWARE_SPEC),
    StoredAs("onnxruntime_1.17", "onnxruntime_opset_21"),
    StoredAs("pytorch-onnx_2.1", SOFTWARE_SPEC),
    StoredAs("pmml_4.2.1", "pmml-3.0_4.3"),
    StoredAs("mllib_3.4", "spark-mllib_3.4"),
    StoredAs("scikit-learn_1.6", "runtime-25.1-py3.12"),
    StoredAs("xgboost_2.1", "runtime-25.1-py3.12"),
    StoredAs("tensorflow_2.12", "runtime-23.1-py3.10"),
    StoredAs("scikit-learn_1.1", "runtime-23.1-py3.10"),
    StoredAs("xgboost_1.6", "runtime-23.1-py3.10"),
    StoredAs("pytorch-onnx_2.0", "runtime-23.1-py3.10"),
    StoredAs("onnxruntime_1.16", "onnxruntime_opset_19"),
    StoredAs("mllib_3.3", "spark-mllib_3.3"),
)


def framework_of(model_type: str) -> str:
    """The framework in the type of a model: `tensorflow` in `tensorflow_2.14` and in `tensorflow_rt24.1`."""
    return re.sub(r"_(rt)?[\d.]+$", "", model_type)


def stored_as(frameworks: Sequence[str], model_type: str = "", software_spec: str = "") -> StoredAs:
    """Complete the type and the software specification of a model.

    Args:
        frameworks: those whose types take the model, the preferred one first.
        model_type: empty to infer it.
        software_spec: empty to infer it.
    """
    if not model_type:
        model_type = _type_for(frameworks, software_spec)
    return StoredAs(model_type, software_spec or _spec_for(model_type))


def _type_for(frameworks: Sequence[str], software_spec: str) -> str:
    default = _default(frameworks[0])
    fitting = {framework_of(pair.model_type): pair for pair in PAIRS if pair.software_spec == software_spec}
    return next((fitting[each] for each in frameworks if each in fitting), default).model_type


def _spec_for(model_type: str) -> str:
    for pair in PAIRS:
        if pair.model_type == model_type:
            return pair.software_spec
    return _default(framework_of(model_type)).software_spec


def _default(framework: str) -> StoredAs:
    return next((pair for pair in PAIRS if framework_of(pair.model_type) == framework), PAIRS[0])
