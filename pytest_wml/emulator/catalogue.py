"""Which software and hardware specifications there are, and which fits what."""

from __future__ import annotations

import datetime
import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pytest_wml.emulator.refusals import EMBEDDED, Missing, UnprocessableEntity
from pytest_wml.wml.life_cycles import Lifecycle, life_of
from pytest_wml.wml.software_specs import BY_ID, BY_NAME, SoftwareSpec


@dataclass(frozen=True)
class HardwareSpec:
    id: str
    name: str
    cpus: int
    memory_gb: int


# Source of the ids of S and M: outputs recorded in IBM's sample notebooks; of L: public code; of the sizes: IBM's page
# on compute requirements. No id of XS, ML and XL was seen: these are our own,
# uuid5(uuid5(NAMESPACE_URL, "pytest-wml/hardware_specifications"), name).
HARDWARE_SPECS = (
    HardwareSpec("ca4087f6-66dd-554c-a126-1b5289130b56", "XS", 1, 4),
    HardwareSpec("e7ed1d6c-2e89-42d7-aed5-863b972c1d2b", "S", 2, 8),
    HardwareSpec("c076e82c-b2a7-4d20-9c0f-1f0c2fdf5a24", "M", 4, 16),
    HardwareSpec("dc29a375-1a44-523b-a90a-3078d1a90c30", "ML", 4, 32),
    HardwareSpec("a6c4923b-b8e4-444c-9f43-8a7ec3020110", "L", 8, 32),
    HardwareSpec("06cf8207-464d-539d-872c-9407a9da5b42", "XL", 16, 64),
)
_HARDWARE_BY_KEY = {key: spec for spec in HARDWARE_SPECS for key in (spec.id, spec.name)}
DEFAULT_HARDWARE_SPEC = _HARDWARE_BY_KEY["S"]

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


def fit(spec: SoftwareSpec, model_type: str) -> Fit:
    """Whether models of a type can be stored with a software specification."""
    if model_type in spec.types:
        return Fit.SEEN
    match = _TYPE.fullmatch(model_type)
    frameworks = next((runs for pattern, runs in _FRAMEWORKS.items() if fnmatchcase(spec.name, pattern)), ())
    return Fit.UNSEEN if match and match[1] in frameworks else Fit.IMPOSSIBLE


def software_spec(spec_id: str) -> SoftwareSpec:
    """The software specification of this id, also of an earlier one.

    Raises:
        Missing: there is none.
    """
    if spec_id in BY_ID:
        return BY_ID[spec_id]
    raise Missing("software_spec_does_not_exist", f"Software specification '{spec_id}' does not exist.")


def hardware_spec(spec_id: str) -> HardwareSpec:
    """The hardware specification of this id.

    Raises:
        Missing: there is none.
    """
    for spec in HARDWARE_SPECS:
        if spec.id == spec_id:
            return spec
    raise Missing("hardware_spec_does_not_exist", f"Hardware specification '{spec_id}' does not exist.")


def named_software_spec(id_or_name: str) -> SoftwareSpec | None:
    """The software specification of this id or name, whatever its state; None where there is none."""
    return BY_ID.get(id_or_name) or BY_NAME.get(id_or_name)


def software_spec_for(wanted: object, model_type: str, today: datetime.date, *, cloud: bool) -> SoftwareSpec:
    """The software specification that a model is to be stored with.

    Args:
        wanted: `{"id": …}`, `{"name": …}` or the id as it is: the clients send all three.
        model_type: such as `tensorflow_2.14` or `tensorflow_rt24.1`.
        today: the day that life cycles are compared with.
        cloud: whether in IBM Cloud; else on Cloud Pak for Data.

    Raises:
        UnprocessableEntity: unknown, retired, or not for models of this type.
    """
    spec = current_software_spec(wanted, today, cloud=cloud)
    if fit(spec, model_type) is Fit.IMPOSSIBLE:
        raise UnprocessableEntity(
            f"Unsupported model type and software specification combination: '{model_type}' and '{spec.name}'. "
            f"{EMBEDDED} knows these types for it: {', '.join(spec.types) or 'none'}."
        )
    return spec


def current_software_spec(wanted: object, today: datetime.date, *, cloud: bool) -> SoftwareSpec:
    """The software specification that a function is to be stored with: any that is not retired.

    Args:
        wanted: as for `software_spec_for`.
        today: as for `software_spec_for`.
        cloud: as for `software_spec_for`.

    Raises:
        UnprocessableEntity: unknown or retired.
    """
    key = _key(wanted)
    spec = named_software_spec(key)
    if spec is None:
        raise UnprocessableEntity(
            f"Unsupported software specification '{key}'. {EMBEDDED} knows none of this name or id."
        )
    if life_of(spec.name, cloud=cloud).state(today) is Lifecycle.RETIRED:
        raise UnprocessableEntity(f"Unsupported software specification '{spec.name}'.")
    return spec


def storing_doubts(spec: SoftwareSpec, model_type: str, today: datetime.date, *, cloud: bool) -> list[str]:
    """What should make a reader doubt that IBM's service stores a model that the embedded one stores."""
    doubts = []
    if fit(spec, model_type) is Fit.UNSEEN:
        doubts.append(
            f"It is not known whether IBM's service stores models of type '{model_type}' with {spec.name}; "
            "the embedded service accepted one."
        )
    step = life_of(spec.name, cloud=cloud).at(today)
    if step and step.state is Lifecycle.CONSTRICTED:
        doubts.append(
            f"{spec.name} is constricted: {step.what}. A new installation refuses it; the embedded service accepted it."
        )
    return doubts


def hardware_spec_for(wanted: Mapping[str, Any]) -> HardwareSpec:
    """The hardware specification that a deployment asks for, by `id` or `name`.

    Raises:
        UnprocessableEntity: there is none.
    """
    key = _key(wanted)
    spec = _HARDWARE_BY_KEY.get(key)
    if spec is None:
        known = ", ".join(spec.name for spec in HARDWARE_SPECS)
        raise UnprocessableEntity(f"Unsupported hardware specification '{key}'. {EMBEDDED} has {known}.")
    return spec


def _key(wanted: object) -> str:
    key = wanted.get("id") or wanted.get("name") if isinstance(wanted, Mapping) else wanted
    return str(key)[:100]
