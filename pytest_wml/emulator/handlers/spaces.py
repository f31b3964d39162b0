"""Deployment spaces and the service instance that computes for them."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.bodies import rfc3339
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.refusals import Missing
from pytest_wml.emulator.state.patch import patched
from pytest_wml.emulator.state.spaces import SpaceDraft, SpaceRecord

# Source: the paths that IBM's schema of the API allows for a space.
_PATCHABLE = ("name", "description", "compute", "stage", "type", "settings", "tags")
_OWN_MEMBERS = ("name", "description", "compute", "status", "scope", "members")


def create(call: Call) -> Response:
    """A new space: shown as `preparing`, and active at the next request for it."""
    space = call.service.spaces.create(_draft(call, call.json_object()), call.owner)
    document = _document(call, space)
    document["entity"]["members"] = [{"id": space.owner, "role": "admin", "state": "active", "type": "user"}]
    return answer(202, document)


def listing(call: Call) -> Response:
    wanted = call.query("name")
    found = call.service.spaces.find(lambda space: wanted in (None, space.name))
    page, lead = call.page(found, absolute=True)
    spaces = [call.service.spaces.read(space.id) for space in page]
    return answer(200, {**lead, "resources": [_document(call, space) for space in spaces]})


def read(call: Call, space_id: str) -> Response:
    space = call.service.space(space_id)
    return answer(200, _document(call, call.service.spaces.read(space.id)))


def patch(call: Call, space_id: str) -> Response:
    operations = call.json_to_keep()

    def drafted(space: SpaceRecord) -> SpaceDraft:
        members = {"name": space.name, "description": space.description, "compute": _compute(space), **space.entity}
        return _draft(call, patched(members, operations, _PATCHABLE)[0])

    return answer(200, _document(call, call.service.spaces.update(space_id, drafted)))


def delete(call: Call, space_id: str) -> Response:
    call.service.delete_space(space_id)
    return answer(202, {})


def read_instance(call: Call, instance_id: str) -> Response:
    """The service instance of a space."""
    found = call.service.spaces.find(lambda space: space.instance_id == instance_id)
    if not found:
        raise Missing("instance_does_not_exist", f"Instance with id '{instance_id}' does not exist.")
    entity = {
        "account": {"id": "embedded"},
        "consumption": {"capacity_unit_hours": {"current": 0, "limit": 20}},
        "crn": _crn(found[0]),
        "plan": {"id": "embedded", "name": "lite", "version": 2},
        "status": "Active",
    }
    made = rfc3339(found[0].created_at)
    metadata = {"created_at": made, "id": instance_id, "modified_at": made, "tags": []}
    return answer(200, {"metadata": metadata, "entity": entity})


def _draft(call: Call, body: dict[str, Any]) -> SpaceDraft:
    return SpaceDraft(
        name=bodies.required_text(body, "name"),
        description=bodies.text(body, "description") or "",
        # In IBM Cloud a space has the instance that it is given; a Cloud Pak for Data is one itself.
        compute=bool(body.get("compute")) or not call.cloud,
        entity={name: value for name, value in body.items() if name not in _OWN_MEMBERS},
    )


def _document(call: Call, space: SpaceRecord) -> dict[str, Any]:
    entity = {
        **space.entity,
        "name": space.name,
        "description": space.description,
        **({"compute": _compute(space)} if space.instance_id else {}),
        "scope": {"bss_account_id": "embedded" if call.cloud else "cpdaccount"},
        "status": {"state": space.state},
    }
    metadata = {
        "created_at": rfc3339(space.created_at),
        "creator_id": space.owner,
        "id": space.id,
        "updated_at": rfc3339(space.updated_at),
        "url": f"/v2/spaces/{space.id}",
    }
    return {"entity": entity, "metadata": metadata}


def _compute(space: SpaceRecord) -> list[dict[str, Any]]:
    if not space.instance_id:
        return []
    names = {"name": "Watson Machine Learning", "type": "machine_learning"}
    return [{"crn": _crn(space), "guid": space.instance_id, **names}]


def _crn(space: SpaceRecord) -> str:
    return f"crn:v1:embedded:private:pm-20:private:a/embedded:{space.instance_id}::"
