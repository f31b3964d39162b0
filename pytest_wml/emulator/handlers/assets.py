"""Models and functions as the platform sees them: assets."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.timestamps import rfc3339


def read(call: Call, asset_id: str) -> Response:
    shelf = call.service.shelf_of(asset_id)
    asset = shelf.read(asset_id, call.space_id())
    spec = asset.draft.software_spec
    metadata = {
        "asset_id": asset.id,
        "asset_type": f"wml_{shelf.kind}",
        "name": asset.draft.name,
        "created_at": rfc3339(asset.created_at),
        "space_id": asset.space_id,
        "owner_id": asset.owner,
        "usage": {"last_updated_at": rfc3339(asset.modified_at)},
    }
    entity = {metadata["asset_type"]: {"type": asset.draft.type, "software_spec": {"id": spec.id, "name": spec.name}}}
    return answer(200, {"metadata": metadata, "entity": entity, "href": f"/v2/assets/{asset.id}"})


def delete(call: Call, asset_id: str) -> Response:
    shelf = call.service.shelf_of(asset_id)
    asset = shelf.read(asset_id, call.space_id())
    call.service.delete_asset(shelf, asset.id)
    return answer(204)
