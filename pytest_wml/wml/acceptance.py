"""Which models the service accepts with which software specification: refusals, and warnings of what is unknown."""

from __future__ import annotations

import datetime
import functools
import re

from pytest_wml.wml.embedded import EMBEDDED
from pytest_wml.wml.life_cycles import LifeCycleState, life_of
from pytest_wml.wml.software_specs import Fit, SoftwareSpec, fit, named_software_spec

INVALID_ENTITY = "invalid_request_entity"
"""The service's code for a well-formed document that it cannot use."""
_LONGEST_NAME = 100
# TensorFlow 2.16 came with Keras 3, whose files the Keras 2 before it cannot read.
_FIRST_WITH_KERAS_3 = (2, 16)


def invalid_entity(reason: str) -> str:
    """The service's message for a well-formed document that it cannot use."""
    return f"Invalid request entity: {reason}"


def spec_refusal(id_or_name: str, today: datetime.date, *, cloud: bool) -> str:
    """Why nothing can be stored with a software specification: unknown or retired; empty where it can.

    Args:
        id_or_name: of the specification.
        today: the day that life cycles are compared with.
        cloud: whether in IBM Cloud; else on Cloud Pak for Data.
    """
    spec = named_software_spec(id_or_name)
    if spec is None:
        name = id_or_name[:_LONGEST_NAME]
        return f"Unsupported software specification '{name}'. {EMBEDDED} knows none of this name or id."
    if life_of(spec.name, cloud=cloud).state(today) is LifeCycleState.RETIRED:
        return f"Unsupported software specification '{spec.name}'."
    return ""


def type_refusal(spec: SoftwareSpec, model_type: str) -> str:
    """Why models of a type cannot be stored with a software specification; empty where they can."""
    if fit(spec, model_type) is not Fit.IMPOSSIBLE:
        return ""
    return (
        f"Unsupported model type and software specification combination: '{model_type}' and '{spec.name}'. "
        f"{EMBEDDED} knows these types for it: {', '.join(spec.types) or 'none'}."
    )


def storing_warnings(spec: SoftwareSpec, model_type: str, today: datetime.date, *, cloud: bool) -> list[str]:
    """Why IBM's service may refuse to store a model that the embedded one stores."""
    found = []
    if fit(spec, model_type) is Fit.UNSEEN:
        found.append(
            f"It is not known whether IBM's service stores models of type '{model_type}' with {spec.name}; "
            "the embedded service accepted one."
        )
    step = life_of(spec.name, cloud=cloud).at(today)
    if step and step.state is LifeCycleState.CONSTRICTED:
        found.append(
            f"{spec.name} is constricted: {step.what}. A new installation refuses it; the embedded service accepted it."
        )
    return found


# Called before each scoring, with the same few models.
@functools.lru_cache(maxsize=256)
def version_warning(written_by: str, framework: str, spec: SoftwareSpec) -> str | None:
    """Whether the package that wrote a model is newer than the one that the software specification runs.

    A pickle is good for the version of scikit-learn that wrote it only.

    Args:
        written_by: name and version: `TensorFlow 2.21.0`; empty where it is not known.
        framework: in the model's type, such as `tensorflow`.
        spec: what the model is deployed with.
    """
    package, _, version = written_by.rpartition(" ")
    runs = _runs(framework, spec)
    wrote = _version(version)
    if not package or not runs or not wrote:
        return None
    if package == "Keras":
        bad = wrote[0] >= 3 and runs < _FIRST_WITH_KERAS_3
    else:
        bad = wrote != runs if framework == "scikit-learn" else wrote > runs
    if not bad:
        return None
    ran = "TensorFlow" if package == "Keras" else package
    return f"The model was written by {written_by}, and {spec.name} runs {ran} {'.'.join(map(str, runs))}."


def _runs(framework: str, spec: SoftwareSpec) -> tuple[int, ...]:
    versions = [match[1] for kind in spec.types if (match := re.fullmatch(rf"{re.escape(framework)}_([\d.]+)", kind))]
    return max(map(_version, versions), default=())


def _version(written: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", written)
    return (int(match[1]), int(match[2])) if match else ()
