"""The software specifications of the service: names, ids, and the model types that fit each.

Names, ids and the types that were stored are read from `software_specifications.tsv` and `model_types.tsv`, which name
the source of each line.
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_wml.wml.tables import rows


@dataclass(frozen=True)
class SoftwareSpec:
    id: str
    name: str
    types: tuple[str, ...] = ()
    """The model types that were stored with it. Two names are good for one framework: by its own version
    (`tensorflow_2.14`) and by the runtime's (`tensorflow_rt24.1`)."""

    @property
    def platform(self) -> dict[str, str]:
        """Language and version, which most names end in; empty where the name does not tell."""
        match = re.search(r"-(py|r)(\d+\.\d+)", self.name)
        return {"name": "python" if match[1] == "py" else "r", "version": match[2]} if match else {}


def _types_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows("model_types.tsv"):
        found[row["specification"]] += row["types"].split()
    return found


_ROWS = rows("software_specifications.tsv")
_TYPES = _types_by_name()
_SPECS = {row["name"]: SoftwareSpec(row["id"], row["name"], tuple(_TYPES[row["name"]])) for row in _ROWS}

SOFTWARE_SPECS = tuple(sorted(_SPECS.values(), key=lambda spec: spec.id))
"""All of them, ordered by id as the service lists them."""
BY_ID = {spec_id: _SPECS[row["name"]] for row in _ROWS for spec_id in (row["id"], *row["earlier_ids"].split())}
"""By id; by earlier ids too."""
BY_NAME = {name: _SPECS[row["name"]] for row in _ROWS for name in (row["name"], *row["other_names"].split())}
"""By name; by other names that were seen for the same id too."""


_PYTHON = ("tensorflow", "scikit-learn", "xgboost", "pytorch-onnx", "onnxruntime")
_FRAMEWORKS = {
    "runtime-*-py*": _PYTHON,
    "default_py*": _PYTHON,
    "tensorflow_*": ("tensorflow",),
    "pytorch-onnx_*": ("pytorch-onnx", "onnxruntime"),
    "onnxruntime_opset_*": ("onnxruntime", "pytorch-onnx"),
    "scikit-learn_*": ("scikit-learn",),
    "xgboost_*": ("xgboost", "scikit-learn"),
    "spark-mllib_*": ("mllib",),
    "pmml-*": ("pmml",),
    "spss-modeler_*": ("spss-modeler",),
    "do_[0-9]*": ("do-docplex", "do-opl", "do-cplex", "do-cpo"),
    "hybrid_*": ("wml-hybrid",),
}
"""By pattern of a specification's name, the frameworks whose models it can run."""
_TYPE = re.compile(r"(.+)_(?:rt)?\d+(?:\.\d+)*")


class Fit(enum.Enum):
    """Whether models of a type can be stored with a software specification."""

    SEEN = "seen"
    """Somebody was seen to store one, or IBM's documentation says so."""
    UNSEEN = "unseen"
    """The specification runs the framework; nobody was seen to succeed or to be refused."""
    IMPOSSIBLE = "impossible"
    """The type is of no framework that the specification runs, or is not a type."""


def named_software_spec(id_or_name: str) -> SoftwareSpec | None:
    """The software specification of this id or name, whatever its state; None where there is none."""
    return BY_ID.get(id_or_name) or BY_NAME.get(id_or_name)


def fit(spec: SoftwareSpec, model_type: str) -> Fit:
    """Whether models of a type can be stored with a software specification."""
    if model_type in spec.types:
        return Fit.SEEN
    match = _TYPE.fullmatch(model_type)
    frameworks = next((runs for pattern, runs in _FRAMEWORKS.items() if fnmatchcase(spec.name, pattern)), ())
    return Fit.UNSEEN if match and match[1] in frameworks else Fit.IMPOSSIBLE
