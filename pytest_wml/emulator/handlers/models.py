"""Stored models."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.handlers.attachment import downloaded
from pytest_wml.emulator.refusals import UnprocessableEntity
from pytest_wml.emulator.specifications import software_spec_for
from pytest_wml.emulator.state.models import Model, ModelDraft
from pytest_wml.emulator.state.patch import patched
from pytest_wml.emulator.timestamps import rfc3339
from pytest_wml.wml.acceptance import storing_warnings

# The schema of the API allows the first four; the others are what IBM's older client can be asked to patch.
_PATCHABLE = (
    "name",
    "description",
    "tags",
    "custom",
    "software_spec",
    "type",
    "label_column",
    "transformed_label",
    "input_data_schema",
    "output_data_schema",
    "training_data_references",
    "test_data_references",
    "tf_model_params",
    "hyper_parameters",
    "metrics",
    "domain",
    "size",
)
_UNSERVED = {"content_location": "models whose content is fetched from elsewhere"}
_OWN_MEMBERS = ("name", "type", "software_spec", "description", "tags", "space_id", "project_id")


def create(call: Call) -> Response:
    body = call.json_object()
    space_id = call.space_id(body)
    bodies.refuse_members(body, _UNSERVED)
    model = call.service.models.create(_draft(call, body), space_id, call.owner)
    return answer(201, document(call, model))


def listing(call: Call) -> Response:
    space_id = call.space_id()
    found = call.service.models.find(lambda model: model.space_id == space_id)
    page, lead = call.page(found)
    return answer(200, {**lead, "resources": [document(call, model) for model in page]})


def read(call: Call, model_id: str) -> Response:
    return answer(200, document(call, _model(call, model_id)))


def patch(call: Call, model_id: str) -> Response:
    _model(call, model_id)
    operations = call.json_to_keep()

    def drafted(model: Model) -> ModelDraft:
        return _draft(call, patched(_members(model.draft), operations, _PATCHABLE)[0])

    return answer(200, document(call, call.service.models.update(model_id, drafted)))


def delete(call: Call, model_id: str) -> Response:
    _model(call, model_id)
    call.service.delete_asset(call.service.models, model_id)
    return answer(204)


def upload(call: Call, model_id: str) -> Response:
    """The content of a model: the body as it is, whatever its Content-Type says."""
    _model(call, model_id)
    content = call.service.upload(
        call.service.models, model_id, call.chunks(), call.query("content_format") or "native"
    )
    document = {
        "attachment_id": content.attachment_id,
        "content_format": content.content_format,
        "name": content.content_format,
        "persisted": True,
    }
    return answer(201, document)


def attachments(call: Call, model_id: str) -> Response:
    content = _model(call, model_id).content
    found = [{"attachment_id": content.attachment_id, "content_format": content.content_format}] if content else []
    return answer(200, {"attachments": found, "total_count": len(found)})


def download(call: Call, model_id: str) -> Response:
    """The content of a model, byte for byte."""
    return downloaded(call, f"Model '{model_id}'", _model(call, model_id).content)


def commit(call: Call, model_id: str) -> Response:
    """A new revision; the space may be named in the body only."""
    _model(call, model_id, call.json_object())
    return answer(201, document(call, call.service.models.commit(model_id)))


def revisions(call: Call, model_id: str) -> Response:
    """Newest first."""
    newest_first = _model(call, model_id).revisions[::-1]
    page, lead = call.page(newest_first)
    resources = [{"metadata": document(call, revision)["metadata"]} for revision in page]
    return answer(200, {**lead, "resources": resources})


def _model(call: Call, model_id: str, body: dict[str, Any] | None = None) -> Model:
    return call.service.models.read(model_id, call.space_id(body), call.query("rev"))


def _draft(call: Call, body: dict[str, Any]) -> ModelDraft:
    model_type = bodies.required_text(body, "type")
    if not body.get("software_spec"):
        raise UnprocessableEntity("Field 'software_spec' is required.")
    spec = software_spec_for(body["software_spec"], model_type, call.today, cloud=call.cloud)
    for doubt in storing_warnings(spec, model_type, call.today, cloud=call.cloud):
        call.service.doubts.tell(doubt)
    return ModelDraft(
        name=bodies.required_text(body, "name"),
        type=model_type,
        software_spec=spec,
        description=bodies.text(body, "description"),
        tags=_tags(body),
        entity={name: value for name, value in body.items() if name not in _OWN_MEMBERS},
    )


def _tags(body: dict[str, Any]) -> tuple[str, ...] | None:
    tags = bodies.listing(body, "tags")
    return None if tags is None else tuple(tags)


def _members(draft: ModelDraft) -> dict[str, Any]:
    return {
        **draft.entity,
        "name": draft.name,
        "type": draft.type,
        "software_spec": {"id": draft.software_spec.id},
        "description": draft.description,
        "tags": None if draft.tags is None else list(draft.tags),
    }


def document(call: Call, model: Model) -> dict[str, Any]:
    """A model as the service shows it."""
    draft = model.draft
    entity = {
        **draft.entity,
        "type": draft.type,
        "software_spec": {"id": draft.software_spec.id, "name": draft.software_spec.name},
    }
    metadata: dict[str, Any] = {
        "created_at": rfc3339(model.created_at),
        "id": model.id,
        "modified_at": rfc3339(model.modified_at),
        "name": draft.name,
        "owner": model.owner,
        "space_id": model.space_id,
    }
    if call.cloud:
        entity["hybrid_pipeline_software_specs"] = []
        metadata["resource_key"] = model.resource_key
    optional = {"description": draft.description, "tags": draft.tags, "rev": model.rev}
    metadata.update({name: value for name, value in optional.items() if value is not None})
    if model.committed_at is not None:
        metadata["commit_info"] = {"committed_at": rfc3339(model.committed_at)}
    return {"entity": entity, "metadata": metadata, "system": {"warnings": []}}
