"""Models as the platform sees them: assets."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_wml.embedded.exchange import Call, answer
from pytest_wml.embedded.timestamps import rfc3339


def read(call: Call, asset_id: str) -> Response:
    model = call.service.models.read(asset_id, call.space_id())
    spec = model.draft.software_spec
    metadata = {
        "asset_id": model.id,
        "asset_type": "wml_model",
        "name": model.draft.name,
        "created_at": rfc3339(model.created_at),
        "space_id": model.space_id,
        "owner_id": model.owner,
        "usage": {"last_updated_at": rfc3339(model.modified_at)},
    }
    entity = {"wml_model": {"type": model.draft.type, "software_spec": {"id": spec.id, "name": spec.name}}}
    return answer(200, {"metadata": metadata, "entity": entity, "href": f"/v2/assets/{model.id}"})


def delete(call: Call, asset_id: str) -> Response:
    model = call.service.models.read(asset_id, call.space_id())
    call.service.delete_asset(call.service.models, model.id)
    return answer(204)
