"""Models and functions, which are stored alike: what their handlers share, and how the platform shows both."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from pytest_wml.emulator import bodies
from pytest_wml.emulator.bodies import rfc3339
from pytest_wml.emulator.contents import StoredContent
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.refusals import Missing, UnprocessableEntity
from pytest_wml.emulator.state.models import ModelDraft, ModelRecord
from pytest_wml.wml.software_specs import SoftwareSpec

_OWN_MEMBERS = ("name", "type", "software_spec", "description", "tags", "space_id", "project_id")


def read(call: Call, asset_id: str) -> Response:
    registry = call.service.registry_of(asset_id)
    asset = registry.read(asset_id, call.space_id())
    metadata = {
        "asset_id": asset.id,
        "asset_type": f"wml_{registry.kind}",
        "name": asset.draft.name,
        "created_at": rfc3339(asset.created_at),
        "space_id": asset.space_id,
        "owner_id": asset.owner,
        "usage": {"last_updated_at": rfc3339(asset.modified_at)},
    }
    shown = {"type": asset.draft.type, "software_spec": _spec_shown(asset.draft.software_spec)}
    return answer(
        200, {"metadata": metadata, "entity": {metadata["asset_type"]: shown}, "href": f"/v2/assets/{asset.id}"}
    )


def delete(call: Call, asset_id: str) -> Response:
    registry = call.service.registry_of(asset_id)
    asset = registry.read(asset_id, call.space_id())
    call.service.delete_asset(registry, asset.id)
    return answer(204)


def required_spec(body: dict[str, Any]) -> Any:
    """The software specification that a body names.

    Raises:
        UnprocessableEntity: it names none.
    """
    if not body.get("software_spec"):
        raise UnprocessableEntity("Field 'software_spec' is required.")
    return body["software_spec"]


def draft(body: dict[str, Any], asset_type: str, spec: SoftwareSpec) -> ModelDraft:
    """What a body says of a model or function, checked."""
    tags = bodies.listing(body, "tags")
    return ModelDraft(
        name=bodies.required_text(body, "name"),
        type=asset_type,
        software_spec=spec,
        description=bodies.text(body, "description"),
        tags=None if tags is None else tuple(tags),
        entity={name: value for name, value in body.items() if name not in _OWN_MEMBERS},
    )


def members(draft: ModelDraft) -> dict[str, Any]:
    """A draft as the body that it was read from, for a patch."""
    return {
        **draft.entity,
        "name": draft.name,
        "type": draft.type,
        "software_spec": {"id": draft.software_spec.id},
        "description": draft.description,
        "tags": None if draft.tags is None else list(draft.tags),
    }


def entity(asset: ModelRecord) -> dict[str, Any]:
    """The entity of a model or function as the service shows it."""
    draft = asset.draft
    return {**draft.entity, "type": draft.type, "software_spec": _spec_shown(draft.software_spec)}


def metadata(asset: ModelRecord, **more: Any) -> dict[str, Any]:
    """The metadata of a model or function as the service shows it, with what only one of the two has."""
    found: dict[str, Any] = {
        "created_at": rfc3339(asset.created_at),
        "id": asset.id,
        "modified_at": rfc3339(asset.modified_at),
        "name": asset.draft.name,
        "owner": asset.owner,
        "space_id": asset.space_id,
        **more,
    }
    optional = {"description": asset.draft.description, "tags": asset.draft.tags, "rev": asset.rev}
    found.update({name: value for name, value in optional.items() if value is not None})
    if asset.committed_at is not None:
        found["commit_info"] = {"committed_at": rfc3339(asset.committed_at)}
    return found


def _spec_shown(spec: SoftwareSpec) -> dict[str, str]:
    return {"id": spec.id, "name": spec.name}


def downloaded(call: Call, owner: str, content: StoredContent | None) -> Response:
    """The uploaded bytes, streamed from the disk.

    Args:
        call: the request.
        owner: whose content it is, for the refusal: `Model 'id'`.
        content: None where nothing was uploaded yet.

    Raises:
        Missing: there is no content.
        ContentLost: it is not on the disk any more.
    """
    if content is None:
        raise Missing("content_does_not_exist", f"{owner} has no content.")
    file = call.service.contents.open(content)
    response = Response(
        wrap_file(call.request.environ, file),
        content_type="application/octet-stream",
        headers={"Content-Length": str(content.size)},
        direct_passthrough=True,
    )
    response.call_on_close(file.close)
    return response
