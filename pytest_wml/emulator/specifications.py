"""The software and hardware specifications that a request names, or the refusal of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pytest_wml.emulator.refusals import Missing, UnprocessableEntity
from pytest_wml.wml.acceptance import spec_refusal, type_refusal
from pytest_wml.wml.embedded import EMBEDDED
from pytest_wml.wml.hardware_specs import HARDWARE_SPECS, HardwareSpec, named_hardware_spec
from pytest_wml.wml.software_specs import BY_ID, SoftwareSpec, named_software_spec


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
    refused = type_refusal(spec, model_type)
    if refused:
        raise UnprocessableEntity(refused)
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
    refused = spec_refusal(key, today, cloud=cloud)
    spec = named_software_spec(key)
    if refused or spec is None:
        raise UnprocessableEntity(refused)
    return spec


def hardware_spec_for(wanted: Mapping[str, Any]) -> HardwareSpec:
    """The hardware specification that a deployment asks for, by `id` or `name`.

    Raises:
        UnprocessableEntity: there is none.
    """
    key = _key(wanted)
    spec = named_hardware_spec(key)
    if spec is None:
        known = ", ".join(spec.name for spec in HARDWARE_SPECS)
        raise UnprocessableEntity(f"Unsupported hardware specification '{key}'. {EMBEDDED} has {known}.")
    return spec


def _key(wanted: object) -> str:
    key = wanted.get("id") or wanted.get("name") if isinstance(wanted, Mapping) else wanted
    return str(key)[:100]
