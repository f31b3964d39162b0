"""Deployments."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.bodies import rfc3339
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.refusals import Conflict, Invalid, UnprocessableEntity
from pytest_wml.emulator.specifications import hardware_spec_for
from pytest_wml.emulator.state.deployments import DeploymentDraft, DeploymentRecord
from pytest_wml.emulator.state.patch import patched
from pytest_wml.wml.hardware_specs import DEFAULT_HARDWARE_SPEC

_PATCHABLE = ("name", "description", "tags", "custom", "online", "asset", "hardware_spec")
_RESTARTING = {"asset", "hardware_spec", "online"}
"""Members whose patch the service answers with 202 and carries out afterwards."""
_UNSERVED = {
    "r_shiny": "Shiny apps",
    "prompt_template": "prompt templates",
    "base_model_id": "foundation models",
    "base_deployment_id": "foundation models",
    "foundation_model": "foundation models",
    "detached": "deployments that are detached",
}
_FILTERS: dict[str, Callable[[DeploymentRecord], Collection[str | None]]] = {
    "asset_id": lambda deployment: (deployment.draft.asset_id,),
    "name": lambda deployment: (deployment.draft.name,),
    "serving_name": lambda deployment: (deployment.draft.serving_name,),
    "state": lambda deployment: (deployment.state,),
    "type": lambda deployment: (deployment.draft.kind, deployment.asset_type),
    "tag.value": lambda deployment: deployment.draft.tags or (),
}
"""By query parameter, the values that a deployment can be found by."""


def create(call: Call) -> Response:
    """A new deployment, `initializing`: its model is loaded while requests go on."""
    body = call.json_object()
    space_id = call.space_id(body)
    deployment = call.service.deploy(_draft(body), space_id, call.owner)
    return answer(202, _document(call, deployment))


def listing(call: Call) -> Response:
    serving_name = call.query("serving_name")
    if serving_name and call.query("conflict") == "true":
        return _conflict(call, serving_name)
    space_id = call.space_id()
    found = call.service.deployments.find(lambda deployment: deployment.space_id == space_id)
    shown = list(map(call.service.deployments.look, found))
    page, lead = call.page([deployment for deployment in shown if _wanted(call, deployment)])
    return answer(200, {**lead, "resources": [_document(call, deployment) for deployment in page]})


def read(call: Call, deployment_id: str) -> Response:
    deployment = call.service.deployments.locate(deployment_id, call.space_id())
    return answer(200, _document(call, call.service.deployments.look(deployment)))


def patch(call: Call, deployment_id: str) -> Response:
    """Names and the like change at once (200); asset, hardware and serving name take a restart (202)."""
    deployment = call.service.deployments.locate(deployment_id, call.space_id())
    operations = call.json_to_keep()

    def redrafted(current: DeploymentRecord) -> tuple[DeploymentDraft, set[str]]:
        members, touched = patched(_members(current.draft), operations, _PATCHABLE)
        if "asset" in touched and len(touched) > 1:
            raise Invalid("invalid_json_patch", "When the asset is patched, nothing else can be.")
        return _draft(members), touched

    changed, touched = call.service.redraft(deployment.id, redrafted)
    shown = changed if "asset" in touched else call.service.deployments.shown(changed)
    return answer(202 if touched & _RESTARTING else 200, _document(call, shown))


def delete(call: Call, deployment_id: str) -> Response:
    deployment = call.service.deployments.locate(deployment_id, call.space_id())
    call.service.undeploy(deployment.id)
    return answer(204)


def _conflict(call: Call, serving_name: str) -> Response:
    if call.service.deployments.by_serving_name(serving_name):
        raise Conflict("serving_name_already_exists", f"Serving name '{serving_name}' is already in use.")
    return answer(204)


def _wanted(call: Call, deployment: DeploymentRecord) -> bool:
    queries = call.request.args
    return all(queries[name] in values(deployment) for name, values in _FILTERS.items() if name in queries)


def _draft(body: dict[str, Any]) -> DeploymentDraft:
    asset = bodies.mapping(body, "asset") or {}
    bodies.refuse_members(body, _UNSERVED)
    online, batch = bodies.mapping(body, "online"), bodies.mapping(body, "batch")
    if (online is None) == (batch is None):
        raise UnprocessableEntity("One of 'online' and 'batch' is required.")
    kind: Literal["online", "batch"] = "batch" if online is None else "online"
    hardware = bodies.mapping(body, "hardware_spec")
    num_nodes = (hardware or {}).get("num_nodes", 1)
    if not isinstance(num_nodes, int) or isinstance(num_nodes, bool) or num_nodes < 1:
        raise UnprocessableEntity("Field 'hardware_spec.num_nodes' must be a number from 1.")
    tags = bodies.listing(body, "tags")
    return DeploymentDraft(
        name=bodies.required_text(body, "name"),
        asset_id=bodies.required_text(asset, "id"),
        asset_rev=bodies.text(asset, "rev"),
        kind=kind,
        parameters=bodies.mapping(online or {}, "parameters") or {},
        hardware_spec=hardware_spec_for(hardware) if hardware else DEFAULT_HARDWARE_SPEC,
        num_nodes=num_nodes,
        description=bodies.text(body, "description"),
        tags=None if tags is None else tuple(tags),
        custom=bodies.mapping(body, "custom") or {},
    )


def _members(draft: DeploymentDraft) -> dict[str, Any]:
    asset = {"id": draft.asset_id, "rev": draft.asset_rev}
    return {
        "name": draft.name,
        "asset": {name: value for name, value in asset.items() if value is not None},
        draft.kind: {"parameters": dict(draft.parameters)} if draft.kind == "online" else {},
        "hardware_spec": {
            "id": draft.hardware_spec.id,
            "name": draft.hardware_spec.name,
            "num_nodes": draft.num_nodes,
        },
        "description": draft.description,
        "tags": None if draft.tags is None else list(draft.tags),
        "custom": dict(draft.custom),
    }


def _document(call: Call, deployment: DeploymentRecord) -> dict[str, Any]:
    # No `system`: both clients read warnings[0] of it, whether or not there is one.
    members = _members(deployment.draft)
    description, tags = members.pop("description"), members.pop("tags")
    entity = {
        **members,
        "deployed_asset_type": deployment.asset_type,
        "space_id": deployment.space_id,
        "status": _status(call, deployment),
    }
    metadata = {
        "created_at": rfc3339(deployment.created_at),
        "id": deployment.id,
        "modified_at": rfc3339(deployment.modified_at),
        "name": deployment.draft.name,
        "owner": deployment.owner,
        "space_id": deployment.space_id,
    }
    optional = {"description": description, "tags": tags}
    metadata.update({name: value for name, value in optional.items() if value is not None})
    return {"entity": entity, "metadata": metadata}


def _place(call: Call, id_or_serving_name: str) -> str:
    return f"{call.base_url}/ml/v4/deployments/{id_or_serving_name}/predictions"


def _places(call: Call, deployment: DeploymentRecord) -> dict[str, Any]:
    inference: list[dict[str, Any]] = [{"url": _place(call, deployment.id)}]
    if deployment.draft.serving_name:
        inference.append({"url": _place(call, deployment.draft.serving_name), "uses_serving_name": True})
    return {"serving_urls": [place["url"] for place in inference], "inference": inference}


def _status(call: Call, deployment: DeploymentRecord) -> dict[str, Any]:
    status: dict[str, Any] = {"state": deployment.state}
    if deployment.draft.kind == "online":
        status["online_url"] = {"url": _place(call, deployment.id)}
        if deployment.state != "initializing":
            status.update(_places(call, deployment))
    if deployment.note:
        status["message"] = {"level": "warning", "text": deployment.note}
    if deployment.state == "failed":
        error = {"code": "load_model_failure", "message": deployment.failure}
        status["failure"] = {"trace": deployment.id.replace("-", ""), "errors": [error]}
    return status
