"""Which software and hardware specifications there are, and which fits what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_wml.embedded.refusals import Missing, UnprocessableEntity
from pytest_wml.embedded.software_specs import SOFTWARE_SPECS, Lifecycle, SoftwareSpec


@dataclass(frozen=True)
class HardwareSpec:
    id: str
    name: str
    cpus: int
    memory_gb: int


# Source of the ids of S and M: outputs recorded in IBM's sample notebooks; of L: public code; of the sizes:
# IBM's page on compute requirements. XS, ML and XL exist too, but nobody was seen to write their ids down.
HARDWARE_SPECS = (
    HardwareSpec("e7ed1d6c-2e89-42d7-aed5-863b972c1d2b", "S", 2, 8),
    HardwareSpec("c076e82c-b2a7-4d20-9c0f-1f0c2fdf5a24", "M", 4, 16),
    HardwareSpec("a6c4923b-b8e4-444c-9f43-8a7ec3020110", "L", 8, 32),
)
DEFAULT_HARDWARE_SPEC = HARDWARE_SPECS[0]

_SOFTWARE_BY_KEY = {key: spec for spec in SOFTWARE_SPECS for key in (spec.id, spec.name)}
_HARDWARE_BY_KEY = {key: spec for spec in HARDWARE_SPECS for key in (spec.id, spec.name)}


def software_spec(spec_id: str) -> SoftwareSpec:
    """The software specification of this id.

    Raises:
        Missing: there is none.
    """
    for spec in SOFTWARE_SPECS:
        if spec.id == spec_id:
            return spec
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
    return _SOFTWARE_BY_KEY.get(id_or_name)


def software_spec_for(wanted: object, model_type: str) -> SoftwareSpec:
    """The software specification that a model is to be stored with.

    Args:
        wanted: `{"id": …}`, `{"name": …}` or the id as it is: the clients send all three.
        model_type: such as `tensorflow_2.14` or `tensorflow_rt24.1`.

    Raises:
        UnprocessableEntity: unknown, retired, or not for models of this type.
    """
    spec = current_software_spec(wanted)
    if model_type not in spec.types:
        raise UnprocessableEntity(
            "Unsupported model type and software specification combination: "
            f"'{model_type}' and '{spec.name}', which takes {', '.join(spec.types) or 'no models'}."
        )
    return spec


def current_software_spec(wanted: object) -> SoftwareSpec:
    """The software specification that a function is to be stored with: any that is not retired.

    Args:
        wanted: as for `software_spec_for`.

    Raises:
        UnprocessableEntity: unknown or retired.
    """
    key = _key(wanted)
    spec = named_software_spec(key)
    if spec is None or spec.lifecycle is Lifecycle.RETIRED:
        raise UnprocessableEntity(f"Unsupported software specification '{spec.name if spec else key}'.")
    return spec


def hardware_spec_for(wanted: Mapping[str, Any]) -> HardwareSpec:
    """The hardware specification that a deployment asks for, by `id` or `name`.

    Raises:
        UnprocessableEntity: there is none.
    """
    key = _key(wanted)
    spec = _HARDWARE_BY_KEY.get(key)
    if spec is None:
        raise UnprocessableEntity(f"Unsupported hardware specification '{key}'.")
    return spec


def _key(wanted: object) -> str:
    key = wanted.get("id") or wanted.get("name") if isinstance(wanted, Mapping) else wanted
    return str(key)[:100]
