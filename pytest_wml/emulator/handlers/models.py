"""Stored models."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.handlers import assets
from pytest_wml.emulator.specifications import software_spec_for
from pytest_wml.emulator.state.models import ModelDraft, ModelRecord
from pytest_wml.emulator.state.patch import patched
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


def create(call: Call) -> Response:
    body = call.json_object()
    space_id = call.space_id(body)
    bodies.refuse_members(body, _UNSERVED)
    model = call.service.models.create(_draft(call, body), space_id, call.owner)
    return answer(201, _document(call, model))


def listing(call: Call) -> Response:
    space_id = call.space_id()
    found = call.service.models.find(lambda model: model.space_id == space_id)
    page, lead = call.page(found)
    return answer(200, {**lead, "resources": [_document(call, model) for model in page]})


def read(call: Call, model_id: str) -> Response:
    return answer(200, _document(call, _model(call, model_id)))


def patch(call: Call, model_id: str) -> Response:
    _model(call, model_id)
    operations = call.json_to_keep()

    def drafted(model: ModelRecord) -> ModelDraft:
        return _draft(call, patched(assets.members(model.draft), operations, _PATCHABLE)[0])

    return answer(200, _document(call, call.service.models.update(model_id, drafted)))


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
    return assets.downloaded(call, f"Model '{model_id}'", _model(call, model_id).content)


def commit(call: Call, model_id: str) -> Response:
    """A new revision; the space may be named in the body only."""
    _model(call, model_id, call.json_object())
    return answer(201, _document(call, call.service.models.commit(model_id)))


def revisions(call: Call, model_id: str) -> Response:
    """Newest first."""
    newest_first = _model(call, model_id).revisions[::-1]
    page, lead = call.page(newest_first)
    resources = [{"metadata": _document(call, revision)["metadata"]} for revision in page]
    return answer(200, {**lead, "resources": resources})


def _model(call: Call, model_id: str, body: dict[str, Any] | None = None) -> ModelRecord:
    return call.service.models.read(model_id, call.space_id(body), call.query("rev"))


def _draft(call: Call, body: dict[str, Any]) -> ModelDraft:
    model_type = bodies.required_text(body, "type")
    spec = software_spec_for(assets.required_spec(body), model_type, call.today, cloud=call.cloud)
    for warning in storing_warnings(spec, model_type, call.today, cloud=call.cloud):
        call.service.warnings.add(warning)
    return assets.draft(body, model_type, spec)


def _document(call: Call, model: ModelRecord) -> dict[str, Any]:
    """A model as the service shows it."""
    entity = assets.entity(model) | ({"hybrid_pipeline_software_specs": []} if call.cloud else {})
    metadata = assets.metadata(model, **({"resource_key": model.resource_key} if call.cloud else {}))
    return {"entity": entity, "metadata": metadata, "system": {"warnings": []}}
