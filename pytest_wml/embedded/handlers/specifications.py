"""Software and hardware specifications."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.embedded import catalogue
from pytest_wml.embedded.catalogue import HARDWARE_SPECS, HardwareSpec
from pytest_wml.embedded.exchange import Call, answer
from pytest_wml.embedded.software_specs import SOFTWARE_SPECS, Lifecycle, SoftwareSpec

_CREATED_AT = "2024-06-01T00:00:00.000Z"


def software_list(call: Call) -> Response:
    wanted = call.query("name")
    found = [_software_document(spec) for spec in SOFTWARE_SPECS if wanted in (None, spec.name)]
    return answer(200, {"total_results": len(found), "resources": found})


def software(_call: Call, spec_id: str) -> Response:
    return answer(200, _software_document(catalogue.software_spec(spec_id)))


def software_states(call: Call) -> Response:
    """Names and states only, also by `state`."""
    wanted = call.query("state")
    results = [
        {
            "id": spec.id,
            "name": spec.name,
            "state": spec.lifecycle.value,
            "replacement": spec.replacement,
        }
        for spec in SOFTWARE_SPECS
        if wanted in (None, spec.lifecycle.value)
    ]
    return answer(200, {"results": results})


def hardware_list(call: Call) -> Response:
    wanted = call.query("name")
    found = [_hardware_document(spec) for spec in HARDWARE_SPECS if wanted in (None, spec.name)]
    return answer(200, {"total_results": len(found), "resources": found})


def hardware(_call: Call, spec_id: str) -> Response:
    return answer(200, _hardware_document(catalogue.hardware_spec(spec_id)))


def _software_document(spec: SoftwareSpec) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": spec.name,
        "description": f"Python {spec.python}",
        "asset_id": spec.id,
        "asset_type": "software_specification",
        "href": f"/v2/software_specifications/{spec.id}",
        "created_at": _CREATED_AT,
        "updated_at": _CREATED_AT,
    }
    if spec.lifecycle is not Lifecycle.SUPPORTED:
        # Both clients look for the state as a key; one of them also reads its value, as a truth value.
        metadata["life_cycle"] = {spec.lifecycle.value: True, "replacement_name": spec.replacement}
    specification = {
        "type": "base",
        "built_in": True,
        "package_extensions": [],
        "display_name": spec.name,
        "software_configuration": {"platform": {"name": "python", "version": spec.python}},
    }
    return {"metadata": metadata, "entity": {"software_specification": specification}}


def _hardware_document(spec: HardwareSpec) -> dict[str, Any]:
    metadata = {
        "name": spec.name,
        "description": f"{spec.cpus} CPU and {spec.memory_gb} GB of memory",
        "asset_id": spec.id,
        "asset_type": "hardware_specification",
        "href": f"/v2/hardware_specifications/{spec.id}",
        "created_at": _CREATED_AT,
        "updated_at": _CREATED_AT,
    }
    nodes = {"cpu": {"units": str(spec.cpus)}, "mem": {"size": f"{spec.memory_gb}Gi"}}
    return {"metadata": metadata, "entity": {"hardware_specification": {"nodes": nodes}}}
