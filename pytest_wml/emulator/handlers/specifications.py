"""Software and hardware specifications."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import specifications
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.wml.hardware_specs import HARDWARE_SPECS, HardwareSpec
from pytest_wml.wml.life_cycles import LifeCycleState, life_of
from pytest_wml.wml.software_specs import BY_NAME, SOFTWARE_SPECS, SoftwareSpec

_CREATED_AT = "2024-06-01T00:00:00.000Z"


def software_list(call: Call) -> Response:
    """All specifications in the order of their ids, or the one of a name."""
    name = call.query("name")
    wanted = SOFTWARE_SPECS if name is None else [BY_NAME[name]] if name in BY_NAME else []
    found = [_software_document(call, spec) for spec in wanted]
    return answer(200, {"total_results": len(found), "resources": found})


def software(call: Call, spec_id: str) -> Response:
    return answer(200, _software_document(call, specifications.software_spec(spec_id)))


def software_states(call: Call) -> Response:
    """Names and states only, also by `state`."""
    wanted = call.query("state")
    results = []
    for spec in SOFTWARE_SPECS:
        life = life_of(spec.name, cloud=call.cloud)
        state, step = life.state(call.today), life.at(call.today)
        if wanted in (None, state.value):
            replacement = step.replacement if step else ""
            results.append({"id": spec.id, "name": spec.name, "state": state.value, "replacement": replacement})
    return answer(200, {"results": results})


def hardware_list(call: Call) -> Response:
    wanted = call.query("name")
    found = [_hardware_document(spec) for spec in HARDWARE_SPECS if wanted in (None, spec.name)]
    return answer(200, {"total_results": len(found), "resources": found})


def hardware(_call: Call, spec_id: str) -> Response:
    return answer(200, _hardware_document(specifications.hardware_spec(spec_id)))


def _software_document(call: Call, spec: SoftwareSpec) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": spec.name,
        "description": " ".join(spec.platform.values()).capitalize() or spec.name,
        "asset_id": spec.id,
        "asset_type": "software_specification",
        "href": f"/v2/software_specifications/{spec.id}",
        "created_at": _CREATED_AT,
        "updated_at": _CREATED_AT,
    }
    step = life_of(spec.name, cloud=call.cloud).at(call.today)
    if step:
        # Both clients look for the state as a key; one of them also reads its value, as a truth value. Without one they
        # show the specification as supported.
        state = {step.state.value: True} if step.state is not LifeCycleState.SUPPORTED else {}
        metadata["life_cycle"] = state | ({"replacement_name": step.replacement} if step.replacement else {})
    specification: dict[str, Any] = {
        "type": "base",
        "built_in": True,
        "package_extensions": [],
        "display_name": spec.name,
        "software_configuration": {"platform": spec.platform} if spec.platform else {},
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
